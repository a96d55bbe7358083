"""Searches for settings with Optuna: trials are ordinary trainings, chosen by their
validation."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import filelock
import optuna
from optuna.trial import FrozenTrial, TrialState

from emkd_tf.atomic_files import read_json
from emkd_tf.config import Config, to_flat
from emkd_tf.config.flags import as_flags
from emkd_tf.errors import InputError
from emkd_tf.evaluation.metrics import SELECTION_METRIC
from emkd_tf.experiments.cells import Cell, cell_of
from emkd_tf.experiments.processes import POLL_SECONDS, Ended, Trainings, is_training
from emkd_tf.experiments.processes import title as title_of
from emkd_tf.experiments.search_space import Space, inside, suggest
from emkd_tf.experiments.study import GIVEN, Clock, counts, open_study
from emkd_tf.run_reading import read_epochs


class Search:
    """A study in a folder: its database, its settings and the runs of its trials.

    The first trial has the settings as given. Later ones are drawn by TPE, and stopped
    if their best validation so far is below the median of the others at that epoch. The
    same call continues a search that was stopped or killed.

    Args:
        folder: of the study.
        config: that all trials share.
        arguments: flags of `emkd train` that give this config.
        space: what is tried.
        say: gets a line for each trial that begins or ends.

    Attributes:
        study: Optuna's.

    Raises:
        InputError: another process searches here, or the study has other settings.

    Source: Bergstra et al. 2011 (TPE); Golovin et al. 2017 (median stopping).
    """

    def __init__(
        self,
        folder: Path,
        config: Config,
        arguments: Sequence[str],
        space: Space,
        say: Callable[[str], None] = print,
    ):
        self.folder, self.space, self._say = folder, space, say
        self._config = config
        self._arguments = list(arguments)
        self._trials: dict[Path, optuna.Trial] = {}
        self._reported: dict[Path, int] = {}  # epochs
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{folder} cannot be created ({error.strerror})."
            ) from None
        self._lock = filelock.FileLock(folder / ".lock")
        try:
            self._lock.acquire(blocking=False)
        except filelock.Timeout:
            raise InputError(
                f"Another process searches in {folder}; choose another --study."
            ) from None
        self.study = open_study(folder, config, space)
        self._clock = Clock(self.study)

    @property
    def num_trials(self) -> int:
        """Trials that have begun; those of a killed search count when they continue."""
        return sum(counts(trial) for trial in self.study.trials)

    def run(self, *, trials: int, jobs: int = 1, budget: float | None = None) -> None:
        """Searches until `trials` have ended or the time is spent; trials still running
        then save, and continue when the search does.

        Args:
            trials: of the whole search.
            jobs: trials at a time.
            budget: seconds of the whole search, by the clock; None for no limit.

        Raises:
            InputError: the first trial, with the settings as given, failed.
            KeyboardInterrupt: on Ctrl-C, after all have saved.
        """
        self._take_up()
        with self._clock as clock, Trainings(jobs, self._say) as trainings:
            while trainings.running or self.num_trials < trials:
                if budget is not None and clock.seconds >= budget:
                    self._say("The budget is spent; a larger --budget continues.")
                    break
                while trainings.has_room and self.num_trials < trials:
                    self._begin(trainings)
                time.sleep(POLL_SECONDS)
                for cell in trainings.running:
                    if self._is_behind(cell):
                        self._prune(cell, trainings)
                for ended in trainings.ended():
                    self._tell(ended)
                clock.tick()

    def _take_up(self) -> None:
        """Puts trials that a killed or stopped process began before new ones."""
        waiting = self.study.get_trials(states=[TrialState.WAITING])
        known = [trial.system_attrs.get("fixed_params") for trial in waiting]
        for trial in self.study.get_trials(states=[TrialState.RUNNING]):
            # One without a run was only requested.
            has_begun = not {"run", GIVEN}.isdisjoint(trial.user_attrs)
            if has_begun and trial.params not in known:
                self._repeat(trial)
            self.study.tell(trial.number, state=TrialState.FAIL)

    def _repeat(self, trial: optuna.Trial | FrozenTrial) -> None:
        is_given = {GIVEN: True} if GIVEN in trial.user_attrs else None
        self.study.enqueue_trial(trial.params, is_given)

    def _begin(self, trainings: Trainings) -> None:
        trial = self.study.ask()
        settings = self._settings_of(trial)
        flags = as_flags(settings)
        own = [f"--runs_dir={self.folder / 'runs'}", "--export=false", "--test=false"]
        trial.set_user_attr("settings", settings)
        self._say(f"trial {trial.number}: {' '.join(flags)}")
        try:
            cell = cell_of(f"trial {trial.number}", [*self._arguments, *flags, *own])
        except InputError as error:  # what was drawn does not fit together
            self._say(f"failed trial {trial.number} ({error})")
            self._fail(trial, str(error))
            return
        trial.set_user_attr("run", cell.run_dir.name)
        if cell.run_dir in self._trials:
            self._fail(trial, f"the same settings as {cell.run_dir}, which runs")
            return
        self._trials[cell.run_dir] = trial
        while is_training(cell):  # a process that outlived a killed search
            time.sleep(POLL_SECONDS)
        if cell.is_finished:
            self._tell(Ended(cell, None))
        else:
            trainings.start(cell)

    def _settings_of(self, trial: optuna.Trial) -> dict[str, Any]:
        """Returns what a trial tries: the first one everything given, even what is not
        in the space."""
        if GIVEN not in trial.user_attrs:
            return suggest(trial, self.space)
        given = {key: to_flat(self._config)[key] for key in self.space}
        known = {key: self.space[key] for key in inside(self.space, given)}
        return {**suggest(trial, known), **given}

    def _is_behind(self, cell: Cell) -> bool:
        """Reports new validations of a trial; tells whether they should be its last."""
        trial = self._trials[cell.run_dir]
        known = self._reported.get(cell.run_dir, 0)
        new = [(epoch, value) for epoch, value in curve(cell.run_dir) if epoch > known]
        for epoch, value in new:
            trial.report(value, epoch)
            self._reported[cell.run_dir] = epoch
        return bool(new) and trial.should_prune()

    def _prune(self, cell: Cell, trainings: Trainings) -> None:
        trainings.stop([cell])
        best = max(value for _, value in curve(cell.run_dir))
        self._say(f"pruned {title_of(cell)}, {_result(best)}")
        self.study.tell(self._ended(cell), state=TrialState.PRUNED)

    def _tell(self, ended: Ended) -> None:
        if ended.failure is not None:
            self._say(f"failed {title_of(ended.cell)} ({ended.failure})")
            self._fail(self._ended(ended.cell), ended.failure)
            return
        self._is_behind(ended.cell)
        metrics = read_json(ended.cell.run_dir / "metrics.json")
        value = metrics["validation"][SELECTION_METRIC]
        trial = self._ended(ended.cell)
        trial.set_user_attr("seconds", metrics["seconds"])
        self.study.tell(trial, value)
        self._say(f"done {title_of(ended.cell)}, {_result(value)}")

    def _ended(self, cell: Cell) -> optuna.Trial:
        self._reported.pop(cell.run_dir, None)
        return self._trials.pop(cell.run_dir)

    def _fail(self, trial: optuna.Trial, reason: str) -> None:
        if GIVEN in trial.user_attrs:
            self._repeat(trial)
            self.study.tell(trial, state=TrialState.FAIL)
            reason = reason.removeprefix("emkd: ")
            raise InputError(f"The first trial failed: {reason}")
        trial.set_user_attr("failure", reason)
        self.study.tell(trial, state=TrialState.FAIL)


def curve(run_dir: Path) -> list[tuple[int, float]]:
    """Returns the epochs of a run with their validations, so far."""
    key = f"validation/{SELECTION_METRIC}"
    epochs = read_epochs(run_dir, is_growing=True)
    return [(row["epoch"], row[key]) for row in epochs if row.get(key) is not None]


def _result(value: float) -> str:
    return f"validation {SELECTION_METRIC} {value:.4f}"

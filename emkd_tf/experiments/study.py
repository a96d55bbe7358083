"""A study of Optuna in a folder: its database, its settings, and the time it took."""

from __future__ import annotations

import time
from pathlib import Path

import optuna
from optuna.trial import TrialState

from emkd_tf.atomic_files import read_json, write_json
from emkd_tf.config import Config, to_flat
from emkd_tf.data.prepare import own_hashes
from emkd_tf.errors import InputError
from emkd_tf.experiments.search_space import Space, as_yaml, inside
from emkd_tf.training.run_config import changed_settings, read_config, write_config

_RANDOM_TRIALS = 5  # before others are drawn from what these found, and pruned
_SAFE_EPOCHS = 3  # whose last is the first after which a trial may be pruned
GIVEN = "given"  # attribute of the trial with the settings as given
_NOTE_SECONDS = 10.0  # between two records of the time spent


def open_study(folder: Path, config: Config, space: Space) -> optuna.Study:
    """Opens a folder's study, or makes it; its first trial has the config's settings.

    Args:
        folder: of the study, which exists.
        config: that all trials share.
        space: what is tried.

    Raises:
        InputError: it is a study of other settings or another log.
    """
    is_new = not (folder / "config.yaml").exists()
    if not is_new:
        _require_same(folder, config, space)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        storage=f"sqlite:///{folder / 'study.db'}",
        study_name=folder.name,
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(_RANDOM_TRIALS, _SAFE_EPOCHS),
    )
    # A continued search draws trials other than those it began with.
    study.sampler = optuna.samplers.TPESampler(
        n_startup_trials=_RANDOM_TRIALS,
        seed=config.training.seed + len(study.trials),
        constant_liar=True,
    )
    if is_new:
        study.enqueue_trial(inside(space, to_flat(config)), {GIVEN: True})
        write_json(folder / "space.json", as_yaml(space))
        write_json(folder / "data.json", own_hashes(config.data))
        write_config(folder, config)
    return study


def _require_same(folder: Path, config: Config, space: Space) -> None:
    changed = changed_settings(read_config(folder), config)
    if read_json(folder / "space.json") != as_yaml(space):
        changed.append("what is searched")
    if read_json(folder / "data.json") != own_hashes(config.data):
        changed.append("what the log holds")
    if changed:
        raise InputError(
            f"The study in {folder} has other settings: {', '.join(changed)}. Choose "
            "another --study, or the same settings."
        )


def counts(trial: optuna.trial.FrozenTrial) -> bool:
    """Tells whether a trial counts towards those that a search may make: a killed one
    is a new trial when it continues."""
    if trial.state == TrialState.FAIL:
        return "failure" in trial.user_attrs
    return trial.state != TrialState.WAITING


class Clock:
    """Counts the seconds of a search over all its processes; the study keeps them."""

    def __init__(self, study: optuna.Study):
        self._study, self._began = study, 0.0
        self._before = self._noted = self.seconds = study.user_attrs.get("seconds", 0.0)

    def __enter__(self) -> Clock:
        self._began = time.monotonic()
        return self

    def __exit__(self, *error: object) -> None:
        self.tick(0.0)

    def tick(self, every: float = _NOTE_SECONDS) -> None:
        """Counts on, and records the time every so many seconds."""
        self.seconds = self._before + time.monotonic() - self._began
        if self.seconds - self._noted > every:
            self._study.set_user_attr("seconds", self.seconds)
            self._noted = self.seconds

"""One training: from a checkpoint or from scratch, to its last epoch."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf
from rich.console import Console

from emkd_tf.config import Config
from emkd_tf.data.histories import Histories
from emkd_tf.models.stage import Stage
from emkd_tf.training.board import LOGS, Profile, WriteBoard
from emkd_tf.training.callbacks import (
    KeepBest,
    KeepLast,
    SaveLast,
    Validate,
)
from emkd_tf.training.checkpoints import Checkpoints, TrainingProgress
from emkd_tf.training.history import WriteHistory
from emkd_tf.training.interrupts import Interrupts
from emkd_tf.training.progress import ShowProgress
from emkd_tf.training.run_dir import RunDir
from emkd_tf.training.setup import compile_model, stage_data
from emkd_tf.training.strategy import is_chief, num_workers
from emkd_tf.training.teacher import lists_of
from emkd_tf.training.watch_loss import WatchLoss
from emkd_tf.training.weight_average import AverageWeights, weight_average
from emkd_tf.training.workers import asking_all, require_equal_steps

_LONG_RUN_ADVICE = (
    "Ctrl-C saves and stops it, the same command continues; other presets of the model "
    "are shorter."
)


class Trainer:
    """Builds the model of a stage under a strategy and trains it.

    Order, masks and dropout are functions of the seed and the step, and a checkpoint
    holds everything that changes from step to step. So a training continued from one
    equals the undisturbed one, wherever it was stopped.

    Args:
        stage: what to train.
        histories: of all users.
        strategy: to build and train under.
        run_dir: to write to.
        console: for progress.

    Attributes:
        model, checkpoints, progress: of the training.

    Raises:
        InputError: no checkpoint can be read, or workers see different ones.
    """

    def __init__(
        self,
        stage: Stage,
        histories: Histories,
        strategy: tf.distribute.Strategy,
        run_dir: RunDir,
        console: Console,
    ):
        self._stage, self._histories, self._strategy = stage, histories, strategy
        self._run_dir, self._console = run_dir.path, console
        self._training = stage.config.training
        lists = lists_of(stage.config, histories)
        self._data = stage_data(stage, histories, lists)
        with strategy.scope():
            self.model = stage.model.create(stage.config, histories)
            compile_model(self.model, stage.config, self._data.num_steps)
            self.progress = TrainingProgress()
            average = weight_average(
                self.model.trainable_variables, self._training.weight_average
            )
        self.checkpoints = Checkpoints(
            shared_run(stage.config, strategy, run_dir) / stage.folder,
            self.model,
            self.progress,
            average=average,
            writes_to=self._run_dir / stage.folder,
            say=self._say,
        )
        self._is_begun = self.checkpoints.restore_last()
        require_equal_steps(strategy, self.checkpoints.step)
        self._say_where(run_dir.is_resumed)

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True, markup=False)

    def _say_where(self, is_resumed: bool) -> None:
        stage = "" if self._stage.name is None else f", {self._stage.name}"
        if is_resumed:
            where = f"step {self.checkpoints.step}" if self._is_begun else "its start"
            self._say(f"Continuing {self._run_dir}{stage} at {where}")
        else:
            self._say(f"Run directory {self._run_dir}{stage}")

    def start_from(self, before: Trainer) -> None:
        """Takes the best weights of the previous stage and counts its time, unless this
        stage has a checkpoint.

        Raises:
            InputError: they cannot be read.
        """
        if self._is_begun:
            return
        # By the time the chief answers, it has written them.
        require_equal_steps(self._strategy, before.checkpoints.step)
        self.checkpoints.start_from(before.checkpoints)
        self.progress.seconds.assign(before.progress.seconds)
        self.progress.processor_seconds.assign(before.progress.processor_seconds)

    def fit(self, interrupts: Interrupts) -> None:
        """Trains to the last epoch, or until patience runs out.

        Raises:
            NonFiniteLossError: see there.
            KeyboardInterrupt: a signal came; the training is saved.
        """
        progress, profile = self._progress_bar(), self._profile()
        self.progress.start_clock()
        try:
            with interrupts.deferred():
                self._fit(interrupts, progress, profile)
        finally:
            progress.stop()
            for each in profile:
                each.stop()

    def _progress_bar(self) -> ShowProgress:
        return ShowProgress(
            self._console,
            _LONG_RUN_ADVICE,
            epochs=self._data.epochs,
            epoch_steps=self._data.epoch_steps,
            validation_every=self._training.validation_every
            if self._stage.is_validated
            else 0,
            first_step=self.checkpoints.step,
            best=float(self.progress.best.numpy()),
            stage=self._stage.name,
        )

    def _profile(self) -> list[Profile]:
        steps = self._training.profiled_steps()
        folder = self._run_dir / LOGS
        return [Profile(folder, steps, self.checkpoints.step)] if steps else []

    def _fit(
        self, interrupts: Interrupts, progress: ShowProgress, profile: list[Profile]
    ) -> None:
        validating, keep = self._keeping_best()
        average = self.checkpoints.average
        callbacks = [
            *([AverageWeights(average)] if average else []),
            self._watching(),
            *validating,
            keep,
            WriteHistory(
                self._run_dir,
                self.progress,
                self._training.batch_size,
                self.checkpoints.step,
                self._stage.name,
            ),
            WriteBoard(
                self._run_dir / LOGS / (self._stage.name or ""),
                self._stage.config,
                self._histories,
                self.checkpoints,
            ),
            *profile,
            progress,
            self._saving(interrupts),
        ]
        # First the rest of an epoch that has begun, then whole ones.
        epoch_steps = self._data.epoch_steps
        epoch, done = divmod(self.checkpoints.step, epoch_steps)
        parts = [(epoch, epoch + 1, epoch_steps - done)] if done else []
        parts.append((epoch + bool(done), self._data.epochs, epoch_steps))
        for first, last, steps in parts:
            if first >= last or keep.is_out_of_patience:
                continue
            self.model.fit(
                self._data.distributed(self._strategy, self.checkpoints.step),
                initial_epoch=first,
                epochs=last,
                steps_per_epoch=steps,
                verbose=0,
                callbacks=callbacks,
            )

    def _watching(self) -> WatchLoss:
        return WatchLoss(
            self._run_dir,
            self._data.users_of_step,
            self._training.max_skipped,
            self._say,
            self._stage.folder,
        )

    def _saving(self, interrupts: Interrupts) -> SaveLast:
        is_alone = num_workers(self._strategy) == 1
        is_of_any = bool if is_alone else asking_all(self._strategy)
        return SaveLast(
            self.checkpoints,
            self.progress,
            every=self._training.checkpoint_steps,
            epoch_steps=self._data.epoch_steps,
            epochs=self._data.epochs,
            is_interrupted=lambda: is_of_any(interrupts.requested),
        )

    def _keeping_best(self) -> tuple[list[Validate], KeepBest | KeepLast]:
        """Returns what validates, if anything does, and what keeps the best state."""
        training, epochs = self._training, self._data.epochs
        saved = self.checkpoints, self.progress
        if not self._stage.is_validated:
            return [], KeepLast(*saved, epochs)
        every, protocol = training.validation_every, self._stage.config.run.excluding
        validate = Validate(self._histories, every, epochs, protocol, self.checkpoints)
        return [validate], KeepBest(*saved, training.patience)


def shared_run(
    config: Config, strategy: tf.distribute.Strategy, run_dir: RunDir
) -> Path:
    """Returns the run directory that the chief writes and all workers see."""
    if is_chief(strategy):
        return run_dir.path
    assert config.run.name is not None  # several workers need one
    return Path(config.run.runs_dir) / config.run.name

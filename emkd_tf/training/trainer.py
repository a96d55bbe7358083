"""The training of a run: from a checkpoint or from nothing, to its last epoch."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf
from rich.console import Console

from emkd_tf.config import Config
from emkd_tf.data.histories import Histories
from emkd_tf.training.build import TrainingData, build_model, compile_model
from emkd_tf.training.callbacks import KeepBest, SaveLast, Validate, WriteHistory
from emkd_tf.training.checkpoints import Checkpoints, Progress
from emkd_tf.training.interrupts import Interrupts
from emkd_tf.training.nonfinite import WatchLoss
from emkd_tf.training.progress import ShowProgress
from emkd_tf.training.run_dir import RunDir
from emkd_tf.training.strategy import is_chief, num_workers
from emkd_tf.training.workers import asking_all, require_equal_steps

_LONG_RUN_ADVICE = (
    "Ctrl-C saves and stops it, the same command continues; --preset cpu is the same "
    "model at d = 64."
)


class Trainer:
    """Builds the model under a strategy and trains it.

    Order, masks and dropout are functions of the seed and the step, and a checkpoint
    holds all that changes from step to step: a training that continues from one equals
    the undisturbed one, wherever it was stopped.

    Args:
        config: of the run.
        histories: of all users.
        strategy: to build and train under.
        run_dir: to write to.
        console: for progress.

    Attributes:
        model, checkpoints, progress: of the training.

    Raises:
        InputError: no checkpoint can be read, or other workers see other ones.
    """

    def __init__(
        self,
        config: Config,
        histories: Histories,
        strategy: tf.distribute.Strategy,
        run_dir: RunDir,
        console: Console,
    ):
        self._config, self._histories, self._strategy = config, histories, strategy
        self._run_dir, self._console = run_dir.path, console
        self._data = TrainingData(config, histories)
        with strategy.scope():
            self.model = build_model(config, histories)
            compile_model(self.model, config)
            self.progress = Progress()
        own = self._run_dir / "checkpoints"
        shared = own
        if not is_chief(strategy):
            shared = _shared_run(config) / "checkpoints"
        self.checkpoints = Checkpoints(
            shared, self.model, self.progress, writes_to=own, say=self._say
        )
        is_restored = self.checkpoints.restore_last()
        require_equal_steps(strategy, self.checkpoints.step)
        if run_dir.is_resumed:
            where = f"step {self.checkpoints.step}" if is_restored else "its start"
            self._say(f"Continuing {run_dir.path} at {where}")
        else:
            self._say(f"Run directory {run_dir.path}")

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)

    def fit(self, interrupts: Interrupts) -> None:
        """Trains to the last epoch, or until patience is out.

        Raises:
            NonFiniteLossError: see there.
            KeyboardInterrupt: a signal came; the training is saved.
        """
        progress = self._progress_bar()
        try:
            with interrupts.deferred():
                self._fit(interrupts, progress)
        finally:
            progress.stop()

    def _progress_bar(self) -> ShowProgress:
        return ShowProgress(
            self._console,
            _LONG_RUN_ADVICE,
            epochs=self._config.training.epochs,
            epoch_steps=self._data.epoch_steps,
            first_step=self.checkpoints.step,
        )

    def _fit(self, interrupts: Interrupts, progress: ShowProgress) -> None:
        training, run = self._config.training, self._config.run
        first_step, epoch_steps = self.checkpoints.step, self._data.epoch_steps
        keep_best = KeepBest(self.checkpoints, self.progress, training.patience)
        is_alone = num_workers(self._strategy) == 1
        is_of_any = bool if is_alone else asking_all(self._strategy)
        callbacks = [
            WatchLoss(
                self._run_dir, self._data.users_of_step, training.max_skipped, self._say
            ),
            Validate(
                self._histories,
                training.validation_every,
                training.epochs,
                run.protocol,
            ),
            keep_best,
            WriteHistory(self._run_dir, training.batch_size, first_step),
            progress,
            SaveLast(
                self.checkpoints,
                self.progress,
                every=training.checkpoint_steps,
                epoch_steps=epoch_steps,
                is_interrupted=lambda: is_of_any(interrupts.requested),
            ),
        ]
        # The rest of a begun epoch first, then the whole ones.
        epoch, done = divmod(first_step, epoch_steps)
        parts = [(epoch, epoch + 1, epoch_steps - done)] if done else []
        parts.append((epoch + bool(done), training.epochs, epoch_steps))
        for first, last, steps in parts:
            if first >= last or keep_best.is_out_of_patience:
                continue
            self.model.fit(
                self._data.distributed(self._strategy, self.checkpoints.step),
                initial_epoch=first,
                epochs=last,
                steps_per_epoch=steps,
                verbose=0,
                callbacks=callbacks,
            )


def _shared_run(config: Config) -> Path:
    """The run directory that the chief writes and all workers see."""
    return Path(config.run.runs_dir) / config.run.name

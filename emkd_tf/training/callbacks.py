"""Keras callbacks of a run: validate, keep the best, write it down, save."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from emkd_tf.data.histories import Histories
from emkd_tf.evaluation.evaluator import ENSEMBLE, rank_users
from emkd_tf.evaluation.metrics import SELECTION_METRIC, summarize
from emkd_tf.training.checkpoints import Checkpoints, TrainingProgress


class Validate(tf.keras.callbacks.Callback):
    """Adds validation metrics to the epoch's logs, for the callbacks after it.

    The ensemble's are `validation/HR@10` and so on; network n's `network_n/HR@10`.

    Args:
        histories: of all users.
        every: epochs between validations; the last epoch is validated too.
        epochs: of the whole run.
        protocol: whose metrics to log.
        checkpoints: hold the weights to validate.
    """

    def __init__(
        self,
        histories: Histories,
        every: int,
        epochs: int,
        protocol: str,
        checkpoints: Checkpoints,
    ):
        super().__init__()
        self._histories, self._protocol = histories, protocol
        self._checkpoints = checkpoints
        self._every, self._epochs = every, epochs

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        # Compiled now, so that all validations take as long and time left can be told.
        rank_users(
            self.model, self._histories, "validation", members=True, most_chunks=1
        )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        number = epoch + 1
        if number % self._every and number != self._epochs:
            return
        with self._checkpoints.best_weights():
            ranks = rank_users(self.model, self._histories, "validation", members=True)
        for member, by_protocol in ranks.items():
            metrics = summarize(by_protocol[self._protocol])
            name = "validation" if member == ENSEMBLE else member
            logs.update({f"{name}/{metric}": v for metric, v in metrics.items()})


class KeepBest(tf.keras.callbacks.Callback):
    """Keeps the checkpoint of the best validation and stops when no better one follows.

    Args:
        checkpoints: of the run.
        progress: that it keeps up to date.
        patience: validations without a better one before the training stops; 0 = never.
    """

    def __init__(
        self, checkpoints: Checkpoints, progress: TrainingProgress, patience: int
    ):
        super().__init__()
        self._checkpoints, self._progress = checkpoints, progress
        self._patience = patience

    @property
    def is_out_of_patience(self) -> bool:
        return 0 < self._patience <= int(self._progress.validations_since.numpy())

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        value = logs.get(f"validation/{SELECTION_METRIC}")
        if value is None:
            return
        progress = self._progress
        progress.validations_since.assign_add(1)
        if value > float(progress.best.numpy()):
            progress.best.assign(value)
            progress.best_epoch.assign(epoch + 1)
            progress.validations_since.assign(0)
            self._checkpoints.save_best(epoch + 1)
        self.model.stop_training = self.is_out_of_patience


class KeepLast(tf.keras.callbacks.Callback):
    """Keeps the checkpoint of the last epoch of a training without validation.

    Args:
        checkpoints: of the training.
        progress: that it keeps up to date.
        epochs: of the whole training.
    """

    is_out_of_patience = False

    def __init__(
        self, checkpoints: Checkpoints, progress: TrainingProgress, epochs: int
    ):
        super().__init__()
        self._checkpoints, self._progress, self._epochs = checkpoints, progress, epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch + 1 == self._epochs:
            self._progress.best_epoch.assign(self._epochs)
            self._checkpoints.save_best(self._epochs)


class SaveLast(tf.keras.callbacks.Callback):
    """Saves the training at regular steps, after validations and when interrupted.

    The last step of an epoch is saved when the epoch's other callbacks are done, so put
    this one last.

    Args:
        checkpoints: of the run.
        progress: whose time it counts.
        every: steps between two checkpoints.
        epoch_steps: of a whole epoch.
        epochs: of the whole training; its end is saved, too.
        is_interrupted: whether to save and stop; asked once after every step and epoch,
            because several workers have to answer together.
    """

    _supports_tf_logs = True

    def __init__(
        self,
        checkpoints: Checkpoints,
        progress: TrainingProgress,
        *,
        every: int,
        epoch_steps: int,
        epochs: int | None = None,
        is_interrupted: Callable[[], bool],
    ):
        super().__init__()
        self._checkpoints, self._progress = checkpoints, progress
        self._every, self._epoch_steps, self._epochs = every, epoch_steps, epochs
        self._is_interrupted = is_interrupted
        self._saved = self._step = checkpoints.step
        # Keras resets the epoch's means when an epoch begins; inside an epoch they
        # continue from the checkpoint.
        is_inside = self._step % epoch_steps != 0
        self._means = None
        if is_inside:
            self._means = [v.numpy() for v in checkpoints.accumulators]

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._means is None:
            return
        for variable, value in zip(
            self._checkpoints.accumulators, self._means, strict=True
        ):
            variable.assign(value)
        self._means = None

    def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        self._step += 1
        if self._step % self._epoch_steps:
            self._save_if_due(is_due=False)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        is_validated = f"validation/{SELECTION_METRIC}" in logs
        self._save_if_due(is_due=is_validated or epoch + 1 == self._epochs)

    def _save_if_due(self, *, is_due: bool) -> None:
        is_interrupted = self._is_interrupted()
        if not (is_due or is_interrupted or self._step - self._saved >= self._every):
            return
        self._progress.count_time()
        self._checkpoints.save_last()
        self._saved = self._step
        if is_interrupted:
            raise KeyboardInterrupt(
                f"interrupted and saved at step {self._step}; the same command "
                "continues."
            )

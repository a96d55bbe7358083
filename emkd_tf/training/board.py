"""Keras callbacks that write a training to TensorBoard."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import tensorflow as tf

from emkd_tf.board.group import Group
from emkd_tf.board.machine import peak_memory
from emkd_tf.board.outcome import settings_card
from emkd_tf.board.probe import Probe
from emkd_tf.config import Config, to_flat
from emkd_tf.data.histories import Histories
from emkd_tf.training.callbacks import SELECTION_METRIC
from emkd_tf.training.checkpoints import Checkpoints

LOGS = "logs"


class WriteBoard(tf.keras.callbacks.Callback):
    """Writes what earlier callbacks logged for an epoch, memory, and after a validation
    how far the networks agree.

    Args:
        folder: for the event files.
        config: of the run.
        histories: of all users.
        checkpoints: hold the weights that were validated.
    """

    def __init__(
        self,
        folder: Path,
        config: Config,
        histories: Histories,
        checkpoints: Checkpoints,
    ):
        super().__init__()
        self._folder, self._config, self._histories = folder, config, histories
        self._checkpoints = checkpoints
        self._group: Group | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if self._group is not None:
            return
        self._group = Group(self._folder, self.model.ensemble.names)
        card = settings_card(to_flat(self._config), self._histories.description)
        self._group.write_text("run", card)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        assert self._group is not None
        values = {name: float(value) for name, value in logs.items()}
        if f"validation/{SELECTION_METRIC}" in values:
            with self._checkpoints.best_weights():
                values.update(self._probe.measure(self.model))
        step = int(self.model.optimizer.iterations.numpy())
        self._group.write(step, {**values, **peak_memory()})

    @functools.cached_property
    def _probe(self) -> Probe:
        return Probe(self._histories, self.model.history_length)


class Profile(tf.keras.callbacks.Callback):
    """Records what TensorFlow does in some steps, for TensorBoard's profiler.

    Args:
        folder: for the record.
        steps: the first and the last one, counted from 1 over the whole training.
        step: number of steps done before.
    """

    _supports_tf_logs = True

    def __init__(self, folder: Path, steps: tuple[int, int], step: int = 0):
        super().__init__()
        self._folder, self._steps, self._step = folder, steps, step
        self._is_on = False

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None) -> None:
        if self._step + 1 == self._steps[0]:
            tf.profiler.experimental.start(str(self._folder))
            self._is_on = True

    def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        self._step += 1
        if self._is_on and self._step == self._steps[1]:
            self.stop()

    def stop(self) -> None:
        """Writes the record, even if the training ends or fails during it."""
        if self._is_on:
            self._is_on = False
            tf.profiler.experimental.stop()

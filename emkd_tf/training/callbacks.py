"""Keras callbacks of a run: validate, keep the best, stop on a bad loss, write it
down."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import tensorflow as tf

from emkd_tf.data.histories import Histories
from emkd_tf.errors import NonFiniteLossError
from emkd_tf.evaluation.evaluator import ENSEMBLE, rank_users
from emkd_tf.evaluation.metrics import summarize
from emkd_tf.training.checkpoints import Checkpoints

SELECTION_METRIC = "NDCG@10"


class Validate(tf.keras.callbacks.Callback):
    """Adds validation metrics to the epoch's logs, for the callbacks after it.

    The ensemble's are `validation/HR@10` and so on; network n's `network_n/NDCG@10`.

    Args:
        histories: of all users.
        every: epochs between validations; the last epoch is validated too.
        protocol: whose metrics to log.
    """

    def __init__(self, histories: Histories, every: int, protocol: str):
        super().__init__()
        self._histories, self._every, self._protocol = histories, every, protocol

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        number = epoch + 1
        if number % self._every and number != self.params["epochs"]:
            return
        ranks = rank_users(self.model, self._histories, "validation", members=True)
        for member, by_protocol in ranks.items():
            metrics = summarize(by_protocol[self._protocol])
            if member == ENSEMBLE:
                logs.update({f"validation/{k}": v for k, v in metrics.items()})
            else:
                logs[f"{member}/{SELECTION_METRIC}"] = metrics[SELECTION_METRIC]


class KeepBest(tf.keras.callbacks.Callback):
    """Keeps the checkpoint of the best validation and stops when none follows.

    Args:
        checkpoints: of the run.
        patience: validations without a better one before the training stops; 0 = never.
    """

    def __init__(self, checkpoints: Checkpoints, patience: int):
        super().__init__()
        self._checkpoints, self._patience = checkpoints, patience
        self.best_epoch, self.best = 0, -math.inf
        self._validations_since = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        value = logs.get(f"validation/{SELECTION_METRIC}")
        if value is None:
            return
        self._checkpoints.save_last(epoch + 1)
        self._validations_since += 1
        if value > self.best:
            self.best, self.best_epoch = value, epoch + 1
            self._validations_since = 0
            self._checkpoints.save_best(epoch + 1)
        if self._patience and self._validations_since >= self._patience:
            self.model.stop_training = True


class StopOnNonFinite(tf.keras.callbacks.Callback):
    """Stops with every term's value when the loss is not finite."""

    _supports_tf_logs = True  # spares the conversion of all logs at every step

    def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        if math.isfinite(float(logs["loss/total"])):
            return
        values = tf.unstack(tf.convert_to_tensor(self.model.last_losses))
        terms = ", ".join(
            f"{name} {float(value):.6g}"
            for name, value in zip(self.model.loss_names, values, strict=True)
        )
        step = int(self.model.optimizer.iterations.numpy())
        raise NonFiniteLossError(
            f"The loss is not finite at step {step}: {terms}. Lower --learning-rate or "
            "raise --temperature; checkpoints/best holds the best state so far."
        )


class WriteHistory(tf.keras.callbacks.Callback):
    """Writes each epoch to `history.jsonl` and to TensorBoard.

    Args:
        run_dir: of the run.
        batch_size: global, for examples a second.
    """

    def __init__(self, run_dir: Path, batch_size: int):
        super().__init__()
        self._path, self._batch_size = run_dir / "history.jsonl", batch_size
        self._writer = tf.summary.create_file_writer(str(run_dir / "logs"))
        self._began = self._trained = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        # Without what the callbacks do at the end of the epoch, validation above all.
        self._trained = time.perf_counter() - self._began

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        examples = self.params["steps"] * self._batch_size
        values = {
            **{name: float(value) for name, value in logs.items()},
            "learning_rate": float(self.model.optimizer.learning_rate.numpy()),
            "examples_per_second": examples / self._trained,
        }
        step = int(self.model.optimizer.iterations.numpy())
        with self._writer.as_default(step=step):
            for name, value in values.items():
                tf.summary.scalar(name, value)
        self._writer.flush()
        line = {"epoch": epoch + 1, "step": step, **values}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

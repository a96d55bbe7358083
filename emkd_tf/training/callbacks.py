"""Keras callbacks of a run: validate, keep the best, write it down, save."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tensorflow as tf

from emkd_tf.data.histories import Histories
from emkd_tf.evaluation.evaluator import ENSEMBLE, rank_users
from emkd_tf.evaluation.metrics import summarize
from emkd_tf.files import write_text
from emkd_tf.training.checkpoints import Checkpoints, Progress

SELECTION_METRIC = "NDCG@10"


class Validate(tf.keras.callbacks.Callback):
    """Adds validation metrics to the epoch's logs, for the callbacks after it.

    The ensemble's are `validation/HR@10` and so on; network n's `network_n/NDCG@10`.

    Args:
        histories: of all users.
        every: epochs between validations; the last epoch is validated too.
        epochs: of the whole run.
        protocol: whose metrics to log.
    """

    def __init__(self, histories: Histories, every: int, epochs: int, protocol: str):
        super().__init__()
        self._histories, self._protocol = histories, protocol
        self._every, self._epochs = every, epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        number = epoch + 1
        if number % self._every and number != self._epochs:
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
        progress: that it keeps up to date.
        patience: validations without a better one before the training stops; 0 = never.
    """

    def __init__(self, checkpoints: Checkpoints, progress: Progress, patience: int):
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


class WriteHistory(tf.keras.callbacks.Callback):
    """Writes each epoch to `history.jsonl` and to TensorBoard.

    Args:
        run_dir: of the run.
        batch_size: global, for examples a second.
        first_step: of this process; what an earlier one wrote beyond it is undone.
    """

    def __init__(self, run_dir: Path, batch_size: int, first_step: int = 0):
        super().__init__()
        self._path, self._batch_size = run_dir / "history.jsonl", batch_size
        if self._path.exists():
            text = self._path.read_text(encoding="utf-8", errors="replace")
            kept = [line for line in _whole_lines(text) if _step(line) <= first_step]
            write_text(self._path, "".join(kept))
        self._writer = tf.summary.create_file_writer(str(run_dir / "logs"))
        self._began = self._trained = 0.0
        self._batches = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._began, self._batches = time.perf_counter(), 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        # Without what the callbacks do at the end of the epoch, validation above all.
        self._trained = time.perf_counter() - self._began
        self._batches += 1

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        examples = self._batches * self._batch_size
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


def _whole_lines(text: str) -> list[str]:
    """A process killed while writing leaves half a line."""
    return [line for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _step(line: str) -> float:
    """Returns the step of a line of the history, infinity of a damaged one."""
    try:
        return json.loads(line)["step"]
    except (ValueError, LookupError, TypeError):
        return math.inf


class SaveLast(tf.keras.callbacks.Callback):
    """Saves the training every so many steps, after validations and when interrupted.

    The last step of an epoch is saved when the epoch's other callbacks are done: put it
    last among them.

    Args:
        checkpoints: of the run.
        progress: whose time it counts.
        every: steps between two checkpoints.
        epoch_steps: of a whole epoch.
        is_interrupted: whether to save and stop; asked once after every step and
            epoch, for several workers have to answer together.
    """

    _supports_tf_logs = True

    def __init__(
        self,
        checkpoints: Checkpoints,
        progress: Progress,
        *,
        every: int,
        epoch_steps: int,
        is_interrupted: Callable[[], bool],
    ):
        super().__init__()
        self._checkpoints, self._progress = checkpoints, progress
        self._every, self._epoch_steps = every, epoch_steps
        self._is_interrupted = is_interrupted
        self._saved = self._step = checkpoints.step
        self._began = time.perf_counter()
        # Keras resets the epoch's means when an epoch begins; inside an epoch they go
        # on from the checkpoint.
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
        self._save_if_due(is_due=f"validation/{SELECTION_METRIC}" in logs)

    def _save_if_due(self, *, is_due: bool) -> None:
        is_interrupted = self._is_interrupted()
        if not (is_due or is_interrupted or self._step - self._saved >= self._every):
            return
        now = time.perf_counter()
        self._progress.seconds.assign_add(now - self._began)
        self._began = now
        self._checkpoints.save_last()
        self._saved = self._step
        if is_interrupted:
            raise KeyboardInterrupt(
                f"interrupted and saved at step {self._step}; the same command "
                "continues."
            )

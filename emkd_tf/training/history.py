"""`history.jsonl`: one line per epoch."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import tensorflow as tf

from emkd_tf.atomic_files import write_text
from emkd_tf.training.checkpoints import TrainingProgress
from emkd_tf.training.schedules import current_rate


class WriteHistory(tf.keras.callbacks.Callback):
    """Writes each epoch to `history.jsonl`, and adds learning rate and speed to its
    logs for the callbacks after this one.

    A line has the processor seconds of the training until then, validations and earlier
    processes and stages included, as `processor_seconds`.

    Args:
        run_dir: of the run.
        progress: counts them.
        batch_size: global, for examples per second.
        first_step: of this process; what an earlier one wrote beyond it is removed.
        stage: name of the training, in its lines; None for a run's only one.
    """

    def __init__(
        self,
        run_dir: Path,
        progress: TrainingProgress,
        batch_size: int,
        first_step: int = 0,
        stage: str | None = None,
    ):
        super().__init__()
        self._path, self._batch_size = run_dir / "history.jsonl", batch_size
        self._name = {} if stage is None else {"stage": stage}
        self._progress = progress
        if self._path.exists():
            text = self._path.read_text(encoding="utf-8", errors="replace")
            kept = [x for x in _whole_lines(text) if _step(x, stage) <= first_step]
            write_text(self._path, "".join(kept))
        self._began = self._trained = 0.0
        self._batches = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._began, self._batches = time.perf_counter(), 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        # Without what callbacks do at the end of the epoch, above all validation.
        self._trained = time.perf_counter() - self._began
        self._batches += 1

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        examples = self._batches * self._batch_size
        logs["learning_rate"] = current_rate(self.model.optimizer)
        logs["examples_per_second"] = examples / self._trained
        values = {name: float(value) for name, value in logs.items()}
        step = int(self.model.optimizer.iterations.numpy())
        self._progress.count_time()
        spent = float(self._progress.processor_seconds.numpy())
        line = {**self._name, "epoch": epoch + 1, "step": step, **values}
        line["processor_seconds"] = round(spent, 2)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _whole_lines(text: str) -> list[str]:
    """Drops the half line that a process killed while writing leaves."""
    return [line for line in text.splitlines(keepends=True) if line.endswith("\n")]


def _step(line: str, stage: str | None) -> float:
    """Returns the step of a stage's line of the history, 0 of another stage's line and
    infinity of a damaged one."""
    try:
        values = json.loads(line)
        return values["step"] if values.get("stage") == stage else 0
    except (ValueError, LookupError, TypeError, AttributeError):
        return math.inf

"""Tells how far the whole run is and how long it will take."""

from __future__ import annotations

import time
from typing import Any

import tensorflow as tf
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from emkd_tf.training.callbacks import SELECTION_METRIC

LONG_RUN_SECONDS = 6 * 3600
_WARM_UP_STEPS = 3  # the first steps trace and compile
_MEASURED_STEPS = 10


def in_words(seconds: float) -> str:
    """Returns a duration as a person would say it.

    >>> in_words(45), in_words(600), in_words(9000)
    ('45 s', '10 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


class ShowProgress(tf.keras.callbacks.Callback):
    """A bar over the whole run on a terminal, one line an epoch elsewhere.

    Args:
        console: to write to.
        advice: what to do about a run that will take very long.
        epochs, epoch_steps: of the whole run.
        first_step: of this process.
    """

    _supports_tf_logs = True

    def __init__(
        self,
        console: Console,
        advice: str,
        *,
        epochs: int,
        epoch_steps: int,
        first_step: int = 0,
    ):
        super().__init__()
        self._console, self._advice = console, advice
        self._best = 0.0
        self._epochs = epochs
        self._first_step = self._step = first_step
        self._total = epochs * epoch_steps
        self._task = None
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if self._task is not None:
            return
        self._task = self._bar.add_task(
            "training", total=self._total, completed=self._first_step
        )
        self._bar.start()
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        self._step += 1
        self._bar.advance(self._task)
        steps = self._step - self._first_step
        if steps == _WARM_UP_STEPS:
            self._warm = time.perf_counter()
        if steps == _WARM_UP_STEPS + _MEASURED_STEPS:
            seconds = (time.perf_counter() - self._warm) / _MEASURED_STEPS
            self._announce(seconds * (self._total - self._step))

    def _announce(self, seconds: float) -> None:
        self._console.print(
            f"{self._total - self._step} steps to go, about {in_words(seconds)} and "
            "the validations."
        )
        if seconds > LONG_RUN_SECONDS:
            self._console.print(
                f"[bold]That is long for this machine.[/bold] {self._advice}"
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        number, epochs = epoch + 1, self._epochs
        text = f"epoch {number}/{epochs}  loss {float(logs['loss/total']):.3f}"
        value = logs.get(f"validation/{SELECTION_METRIC}")
        if value is not None:
            self._best = max(self._best, value)
            text += f"  {SELECTION_METRIC} {value:.4f} (best {self._best:.4f})"
        self._bar.update(self._task, description=text)
        if not self._console.is_terminal:
            elapsed = time.perf_counter() - self._began
            rate = elapsed / (self._step - self._first_step)
            left = rate * (self._total - self._step)
            self._console.print(f"{text}  {in_words(elapsed)}, {in_words(left)} left")

    def stop(self) -> None:
        """Ends the bar, also when the training fails."""
        self._bar.stop()

"""Tells how far a training is and how long it will take."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
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
from rich.table import Column

from emkd_tf.evaluation.metrics import SELECTION_METRIC

LONG_RUN_SECONDS = 6 * 3600
_WARM_UP_STEPS = 3  # the first steps trace and compile
_MEASURED_STEPS = 10


def format_duration(seconds: float) -> str:
    """Returns a duration as a person would say it.

    >>> format_duration(45), format_duration(600), format_duration(9000)
    ('45 s', '10 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _mean(seconds: list[float]) -> float:
    return sum(seconds) / len(seconds) if seconds else 0.0


class ShowProgress(tf.keras.callbacks.Callback):
    """A bar over the whole training on a terminal, one line per epoch elsewhere.

    Args:
        console: to write to.
        advice: what to do about a run that will take very long.
        epochs, epoch_steps: of the whole training.
        validation_every: epochs between validations, the last epoch is validated too;
            0 if none is.
        first_step: of this process.
        best: value of the best validation before it.
        stage: name of the training; None for a run's only one.
        clock: seconds.
    """

    _supports_tf_logs = True

    def __init__(
        self,
        console: Console,
        advice: str,
        *,
        epochs: int,
        epoch_steps: int,
        validation_every: int = 1,
        first_step: int = 0,
        best: float = -math.inf,
        stage: str | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ):
        super().__init__()
        self._console, self._advice = console, advice
        self._best, self._stage = best, stage
        self._epochs, self._every = epochs, validation_every
        self._first_step = self._step = first_step
        self._total = epochs * epoch_steps
        self._clock = clock
        # Seconds of each so far: validations, and what happens between epochs.
        self._validations: list[float] = []
        self._pauses: list[float] = []
        self._epoch_end: float | None = None
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:.0f} %"),
            TimeElapsedColumn(Column(no_wrap=True)),
            TextColumn("left", table_column=Column(no_wrap=True)),
            TimeRemainingColumn(table_column=Column(no_wrap=True)),
            console=console,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(
            stage or "training", start=False, total=self._total, completed=first_step
        )

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if self._bar.tasks[0].started:
            return
        self._bar.start_task(self._task)
        self._bar.start()
        self._began = self._clock()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._last = self._clock()
        if self._epoch_end is not None:
            self._pauses.append(self._last - self._epoch_end)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        now = self._clock()
        self._step += 1
        self._bar.advance(self._task)
        done = self._step - self._first_step
        # Earlier steps count only while there is nothing else to go by.
        if done in (1, 2, _WARM_UP_STEPS + 1):
            self._measured, self._measured_seconds = 0, 0.0
        self._measured += 1
        self._measured_seconds += now - self._last
        self._last = now
        if done == _WARM_UP_STEPS + _MEASURED_STEPS:
            self._announce(self._step_seconds() * (self._total - self._step))

    def _step_seconds(self) -> float:
        return self._measured_seconds / self._measured

    def _announce(self, seconds: float) -> None:
        steps, duration = self._total - self._step, format_duration(seconds)
        self._console.print(
            f"{steps} steps to go, about {duration} and the validations."
        )
        if seconds > LONG_RUN_SECONDS:
            self._console.print(
                f"[bold]That will take long on this machine.[/bold] {self._advice}"
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        now = self._epoch_end = self._clock()
        number, epochs = epoch + 1, self._epochs
        text = f"epoch {number}/{epochs}  loss {float(logs['loss/total']):.3f}"
        if self._stage is not None:
            text = f"{self._stage} {text}"
        value = logs.get(f"validation/{SELECTION_METRIC}")
        if value is not None:
            self._validations.append(now - self._last)
            self._best = max(self._best, value)
            text += f"  {SELECTION_METRIC} {value:.4f} (best {self._best:.4f})"
        self._bar.update(self._task, description=text)
        if not self._console.is_terminal:
            elapsed, left = format_duration(now - self._began), self._left(number)
            self._console.print(f"{text}  {elapsed}, {left} left", soft_wrap=True)

    def _left(self, epoch: int) -> str:
        """Estimates the time left after an epoch."""
        seconds = self._step_seconds() * (self._total - self._step)
        seconds += (self._epochs - epoch) * _mean(self._pauses)
        validations = 0
        if self._every and epoch < self._epochs:  # the last epoch has one in any case
            validations = 1 + (self._epochs - 1) // self._every - epoch // self._every
        seconds += validations * _mean(self._validations)
        is_unknown = validations and not self._validations
        with_compiling = self._step - self._first_step <= _WARM_UP_STEPS
        bound = "at most " if with_compiling and epoch < self._epochs else ""
        more = " and the validations" if is_unknown else ""
        return f"{bound}{format_duration(seconds)}{more}"

    def stop(self) -> None:
        """Ends the bar, even if the training fails."""
        self._bar.stop()

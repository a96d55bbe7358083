"""A moving average of the weights, which is validated, kept and exported."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf


class WeightAverage(tf.Module):
    """The exponential moving average of a training's weights.

    The first averages are short, with decay min(decay, (1 + step) / (10 + step)), so
    that they forget the random start.

    Source: Polyak and Juditsky 1992; the warm-up is that of
    tf.train.ExponentialMovingAverage.

    Args:
        weights: to average; make this under the strategy's scope, as they were.
        decay: of the average per step, in [0, 1).
    """

    def __init__(self, weights: Sequence[tf.Variable], decay: float):
        super().__init__(name="weight_average")
        self._weights, self._decay = list(weights), decay
        self.averages = [
            tf.Variable(weight, trainable=False, name="average") for weight in weights
        ]

    def update(self, step: int) -> None:
        """Adds the weights after step `step`, counted from 1, to the average."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for average, weight in zip(self.averages, self._weights, strict=True):
            average.assign_add((1 - decay) * (weight - average))

    @contextlib.contextmanager
    def in_place(self) -> Iterator[None]:
        """Gives the model the average as its weights inside the block."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def _exchange(self) -> None:
        for average, weight in zip(self.averages, self._weights, strict=True):
            value = tf.identity(weight)
            weight.assign(average)
            average.assign(value)


class AverageWeights(tf.keras.callbacks.Callback):
    """Adds the weights of each step to their average."""

    def __init__(self, average: WeightAverage):
        super().__init__()
        self._average = average

    def on_train_batch_end(self, batch: int, logs: dict[str, Any]) -> None:
        self._average.update(int(self.model.optimizer.iterations.numpy()))


def weight_average(
    weights: Sequence[tf.Variable], decay: float
) -> WeightAverage | None:
    """Returns an average with this decay, None for 0."""
    return WeightAverage(weights, decay) if decay else None

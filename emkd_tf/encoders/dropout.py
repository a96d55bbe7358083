"""Dropout as a function of its seed, so that a training step can be replayed."""

from __future__ import annotations

import tensorflow as tf


class Dropout:
    """Draws a new mask at each call, from one seed.

    Args:
        rate: probability of dropping a value, in [0, 1).
        seed: [2] int32, or None to drop nothing (inference).
    """

    def __init__(self, rate: float, seed: tf.Tensor | None):
        self._rate = rate
        self._seed = seed
        self._calls = 0

    def __call__(self, values: tf.Tensor) -> tf.Tensor:
        """Returns `values` with some zeroed and the others scaled by 1 / (1 - rate)."""
        if self._seed is None or self._rate == 0.0:
            return values
        self._calls += 1
        seed = tf.random.experimental.stateless_fold_in(self._seed, self._calls)
        return tf.nn.experimental.stateless_dropout(values, self._rate, seed)

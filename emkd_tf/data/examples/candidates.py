"""Candidates: a few items that stand for the whole catalogue in one step's losses."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

_FLATTENING = 0.75


class Candidates:
    """Draws items in proportion to (count + 1)^0.75, popular ones more often.

    The distribution is cut into `num_sampled` equal parts and one item is drawn from
    each. An item is expected as often as with independent draws, but its count varies
    less; if all items are equally popular and there are as many draws as items, every
    item is drawn exactly once.

    Args:
        item_counts: [V], how often each item 1..V occurs in training; because one is
            added, items that never occur can also be drawn.
        num_sampled: S, draws per step, > 0.

    Source: Mikolov et al. 2013 (the exponent). Departure: one draw from each part.
    """

    def __init__(self, item_counts: np.ndarray, num_sampled: int):
        weights = (np.asarray(item_counts, np.float64) + 1.0) ** _FLATTENING
        expected = num_sampled * weights / weights.sum()
        # tf.data draws on the host. In float32 a million items would collapse.
        with tf.device("CPU:0"):
            self._ends = tf.constant(np.cumsum(expected), tf.float64)
            self._log_expected = tf.constant(np.log(expected), tf.float32)
        self.num_sampled = num_sampled

    def draw(self, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        """Draws the candidates of a step.

        Args:
            seed: [2] int64; equal seeds give equal candidates.

        Returns:
            "candidates": [S] int32, items; popular ones may occur several times.
            "log_expected": [S] float32, log of how often each is expected among the S
                draws.
        """
        within = tf.random.stateless_uniform([self.num_sampled], seed, dtype=tf.float64)
        points = tf.range(self.num_sampled, dtype=tf.float64) + within
        places = tf.searchsorted(self._ends, points, side="right")
        # Rounding may leave the last end below the last point.
        places = tf.minimum(places, tf.size(self._ends) - 1)
        return {
            "candidates": 1 + places,
            "log_expected": tf.gather(self._log_expected, places),
        }

"""Partners: for each row, another row that ends with the same item."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from emkd_tf.data.examples.rows import Rows

_ROWS_AT_ONCE = 1_000_000  # bounds take 64 bits


class SameTarget:
    """Pairs rows that have the same last item.

    Memory: 8 bytes per row. There are fewer prefix rows than actions.

    Args:
        rows: each with its target as the last item.
        items: [actions] int32, the flat array that they are cut from.

    Attributes:
        order: [rows], the rows grouped by target.

    Source: Qiu et al. 2022 (DuoRec), section 4.2. Departure: none.
    """

    def __init__(self, rows: Rows, items: np.ndarray):
        targets = np.empty(len(rows), np.int32)
        for first in range(0, len(rows), _ROWS_AT_ONCE):
            numbers = np.arange(first, min(first + _ROWS_AT_ONCE, len(rows)))
            targets[numbers] = items[rows.bounds(numbers)[1] - 1]
        # `_places` says where each row is in this order.
        kind = np.int32 if len(rows) < 2**31 else np.int64
        self.order = np.argsort(targets, kind="stable").astype(kind)
        self._places = np.empty_like(self.order)
        self._places[self.order] = np.arange(len(rows), dtype=kind)
        self._ends = np.cumsum(np.bincount(targets))

    def draw(self, seed: tf.Tensor) -> tf.Tensor:
        """Draws the number [] int32 that decides one example's partner."""
        return tf.random.stateless_uniform(
            [], seed, minval=0, maxval=tf.int32.max, dtype=tf.int32
        )

    def groups(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns the places in `order` [n] int64 of rows [n], and where the groups of
        their targets start and end."""
        places = self._places[rows].astype(np.int64)
        # The group of a place is the first one that ends after it.
        group = np.searchsorted(self._ends, places, side="right")
        starts = np.where(group > 0, self._ends[group - 1], 0)
        return places, starts, self._ends[group]

    def partners(self, rows: np.ndarray, draws: np.ndarray) -> np.ndarray:
        """Returns a partner for each row, uniform over the other rows of its target;
        the row itself if there is no other.

        Args:
            rows: [n] row numbers.
            draws: [n] from `draw`.

        Returns:
            [n] int64 row numbers.
        """
        places, starts, ends = self.groups(rows)
        others = ends - starts - 1
        chosen = starts + draws % np.maximum(others, 1)
        chosen += (chosen >= places) & (others > 0)  # skip the row itself
        return self.order[chosen].astype(np.int64)

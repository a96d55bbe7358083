"""Rows: which parts of which histories become training examples.

The bounds of a row are computed on demand: memory grows with the sequences, not with
the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np


class Rows(Protocol):
    """Spans of the flat array of items, numbered from 0 and grouped by sequence.

    Attributes:
        length: the largest number of items in a row, to which a batch is padded.
    """

    length: int

    def __len__(self) -> int: ...

    def sequences(self, rows: np.ndarray) -> np.ndarray:
        """Returns the sequences [n] int64 that rows [n] are cut from."""

    def bounds(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns starts and ends [n] int64 of rows [n]."""


class _Counted:
    """Rows with a known count per sequence: [sequences] int64."""

    def __init__(self, counts: np.ndarray):
        self._last = np.cumsum(counts)  # rows up to and including each sequence

    def __len__(self) -> int:
        return int(self._last[-1])

    def sequences(self, rows: np.ndarray) -> np.ndarray:
        return np.searchsorted(self._last, rows, side="right")

    def _places(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns the sequences of rows, and the rows' numbers within them."""
        sequence = self.sequences(rows)
        first = np.where(sequence > 0, self._last[sequence - 1], 0)
        return sequence, rows - first


class Windows(_Counted):
    """Cuts sequences longer than `length` into windows ending at the last action and
    then every `step` actions back, plus the window at the sequence's start; newest
    first. A sequence of at most `length` items is one window, an empty one none.

    Args:
        starts, ends: [sequences] int64 bounds in the flat array of items.
        length: L, items per window.
        step: actions between two windows.

    Source: the authors' release; Du et al. 2023 do not specify windows. Departure:
    none.
    """

    def __init__(self, starts: np.ndarray, ends: np.ndarray, length: int, step: int):
        self._starts, self._ends = starts, ends
        self.length, self._step = length, step
        counts = -(-self._room(starts, ends) // step) + 1
        super().__init__(np.where(ends > starts, counts, 0))

    def _room(self, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Counts the actions before the newest window."""
        return np.maximum(ends - starts - self.length, 0)

    def bounds(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sequence, place = self._places(rows)
        starts, ends = self._starts[sequence], self._ends[sequence]
        # The last window would begin before the sequence: move it to the start.
        ends = ends - np.minimum(place * self._step, self._room(starts, ends))
        return np.maximum(ends - self.length, starts), ends


class Whole(_Counted):
    """As many rows per sequence as its next items need. A row has L + 1 items, the last
    of which is the first of the next newer row, so that every item but a sequence's
    first is the next item at exactly one place; newest first.

    Args:
        starts, ends: [sequences] int64 bounds in the flat array of items.
        history_length: L.

    Source: `Shift`, which leaves out everything older than the newest L + 1 items.
    """

    def __init__(self, starts: np.ndarray, ends: np.ndarray, history_length: int):
        self._starts, self._ends = starts, ends
        self._step, self.length = history_length, history_length + 1
        super().__init__(-(-np.maximum(ends - starts - 1, 0) // history_length))

    def bounds(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sequence, place = self._places(rows)
        ends = self._ends[sequence] - place * self._step
        return np.maximum(ends - self.length, self._starts[sequence]), ends


class Shift(Whole):
    """The newest row of `Whole`: a sequence's last L + 1 items, each of which but the
    first is the next item of the one before. Sequences of fewer than two items give
    none.

    Source: Kang and McAuley 2018, section 3.1. Departure: none.
    """

    def __init__(self, starts: np.ndarray, ends: np.ndarray, history_length: int):
        newest = np.maximum(starts, ends - history_length - 1)
        super().__init__(newest, ends, history_length)


class Prefix(_Counted):
    """One row for every item but a sequence's first: up to L items followed by that
    item; oldest first.

    Args:
        starts, ends: [sequences] int64 bounds in the flat array of items.
        history_length: L.
        shortest: items in the shortest row, >= 1; 1 adds a row for the first item.

    Source: Tan et al. 2016, section 3.1. Departure: none.
    """

    def __init__(
        self,
        starts: np.ndarray,
        ends: np.ndarray,
        history_length: int,
        shortest: int = 2,
    ):
        self._starts, self.length = starts, history_length + 1
        self._shortest = shortest
        super().__init__(np.maximum(ends - starts - shortest + 1, 0))

    def bounds(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sequence, place = self._places(rows)
        starts = self._starts[sequence]
        ends = starts + place + self._shortest
        return np.maximum(ends - self.length, starts), ends


# By the setting `rows`: makes rows from starts [sequences], ends [sequences] and L.
ROWS: dict[str, Callable[[np.ndarray, np.ndarray, int], Rows]] = {
    "shift": Shift,
    "whole": Whole,
    "prefix": Prefix,
}

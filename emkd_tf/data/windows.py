"""Training windows: the parts of a long sequence that become examples of their own."""

from __future__ import annotations

import numpy as np


class Windows:
    """Cuts sequences longer than `length` into windows ending at the last action and
    then every `step` actions back, plus the window at the sequence's start.

    A window's bounds are computed when asked for: memory grows with the sequences, not
    with the windows.

    Args:
        starts, ends: [sequences] int64 bounds in the flat array of items.
        length: L, items of a window.
        step: actions between two windows.

    Source: the authors' release; Du et al. 2023 give no windows. Departure: none.
    """

    def __init__(self, starts: np.ndarray, ends: np.ndarray, length: int, step: int):
        self._starts, self._ends = starts, ends
        self._length, self._step = length, step
        counts = -(-self._room(starts, ends) // step) + 1
        self._last = np.cumsum(counts)  # windows up to and with each sequence

    def _room(self, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """Counts the actions before the newest window."""
        return np.maximum(ends - starts - self._length, 0)

    def __len__(self) -> int:
        return int(self._last[-1])

    def sequences(self, windows: np.ndarray) -> np.ndarray:
        """Returns the sequences [n] that windows [n] are cut from."""
        return np.searchsorted(self._last, windows, side="right")

    def bounds(self, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns starts and ends [n] int64 of windows [n], numbered from 0, sequence
        after sequence, newest first; a sequence of at most `length` items is one
        window."""
        sequence = self.sequences(windows)
        starts, ends = self._starts[sequence], self._ends[sequence]
        first = np.where(sequence > 0, self._last[sequence - 1], 0)
        # The last window would begin before the sequence: it is the one at the start.
        back = (windows - first) * self._step
        ends = ends - np.minimum(back, self._room(starts, ends))
        return np.maximum(ends - self._length, starts), ends

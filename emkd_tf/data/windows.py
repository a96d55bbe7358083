"""Training windows: the parts of a long sequence that become examples of their own."""

from __future__ import annotations

import numpy as np


def training_windows(
    starts: np.ndarray, ends: np.ndarray, length: int, step: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cuts sequences longer than `length` into windows ending at the last action and
    then every `step` actions back, plus the window at the sequence's start.

    Args:
        starts, ends: [sequences] int64 bounds in the flat array of items.
        length: L, items of a window.
        step: actions between two windows.

    Returns:
        Window starts and ends, int64, sequence after sequence, newest window first; a
        sequence of at most `length` items is one window.

    Source: the authors' release; Du et al. 2023 give no windows. Departure: none.
    """
    room = np.maximum(ends - starts - length, 0)  # actions before the newest window
    counts = -(-room // step) + 1
    sequence = np.repeat(np.arange(len(starts)), counts)
    number = np.arange(len(sequence)) - np.repeat(np.cumsum(counts) - counts, counts)
    # The last window would begin before the sequence: it is the one at the start.
    window_ends = ends[sequence] - np.minimum(number * step, room[sequence])
    window_starts = np.maximum(window_ends - length, starts[sequence])
    return window_starts, window_ends

"""How the C library treats the memory that a step has freed.

A training step on a CPU allocates and frees tensors of tens of megabytes, such as the
logits. By default glibc gives such memory back to the system at once and asks for it
again in the next step, which then has to fill every page with zeros: that was up to
half of a step's processor time (`benchmarks/host_memory.py`).
"""

from __future__ import annotations

import ctypes

# From glibc's <malloc.h>.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8
_NEVER = -1
_STEP_BYTES = 256 * 2**20  # memory is requested in pieces of this size


def keep_freed_memory() -> bool:
    """Makes this process keep what it frees, for the next step to use again.

    The process grows to the memory of its largest step, as it would anyway, and stays
    there.

    Returns:
        Whether the C library could be told to; only glibc can.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    choices = [
        (_MMAP_MAX, 0),
        (_TRIM_THRESHOLD, _NEVER),
        (_TOP_PAD, _STEP_BYTES),
        # Thread arenas hold no block above 64 MiB; the main arena holds any.
        (_ARENA_MAX, 1),
    ]
    return all([mallopt(option, value) == 1 for option, value in choices])

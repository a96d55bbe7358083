"""What a process uses of its machine."""

from __future__ import annotations

import resource
import sys

import tensorflow as tf

_GIB = 2**30


def peak_memory() -> dict[str, float]:
    """Returns the peak memory of this process, in GiB: `memory/host`, and
    `memory/gpu_0` and so on for the GPUs that TensorFlow sees."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    found = {"memory/host": peak * unit / _GIB}
    for number in range(len(tf.config.list_logical_devices("GPU"))):
        used = tf.config.experimental.get_memory_info(f"GPU:{number}")
        found[f"memory/gpu_{number}"] = used["peak"] / _GIB
    return found

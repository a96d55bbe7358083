"""Initial weights that depend on a network's seed and the weight's name alone."""

from __future__ import annotations

import zlib

import tensorflow as tf

STANDARD_DEVIATION = 0.02


def normal(seed: int, name: str) -> tf.keras.initializers.Initializer:
    """Returns N(0, 0.02), the same for the same seed and name.

    Source: Devlin et al. 2019 (BERT) for the deviation.
    """
    mixed = zlib.crc32(f"{seed}/{name}".encode())
    return tf.keras.initializers.RandomNormal(
        stddev=STANDARD_DEVIATION, seed=mixed & 0x7FFFFFFF
    )

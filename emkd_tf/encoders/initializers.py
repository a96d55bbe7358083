"""Initial weights that depend on a network's seed and the weight's name alone."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import tensorflow as tf

STANDARD_DEVIATION = 0.02


def normal(seed: int, name: str) -> tf.keras.initializers.Initializer:
    """Returns N(0, 0.02), the same for the same seed and name.

    Source: Devlin et al. 2019 (BERT) for the deviation.
    """
    return tf.keras.initializers.RandomNormal(
        stddev=STANDARD_DEVIATION, seed=_mixed(seed, name)
    )


def xavier_normal(seed: int, name: str) -> tf.keras.initializers.Initializer:
    """Returns N(0, 2 / (rows + columns)), cut at two deviations, the same for the same
    seed and name.

    Source: Glorot and Bengio 2010.
    """
    return tf.keras.initializers.GlorotNormal(seed=_mixed(seed, name))


def start_uniform(weights: Sequence[tf.Variable], bound: float, seed: int) -> None:
    """Gives weights values that are uniform in [-bound, bound), whatever they are;
    the same for the same seed and order."""
    for number, weight in enumerate(weights):
        key = tf.constant([seed, number], tf.int64)
        weight.assign(tf.random.stateless_uniform(weight.shape, key, -bound, bound))


INITIALIZERS = {"normal": normal, "xavier": xavier_normal}


def _mixed(seed: int, name: str) -> int:
    return zlib.crc32(f"{seed}/{name}".encode()) & 0x7FFFFFFF

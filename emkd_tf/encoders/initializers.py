"""Initial weights that depend only on a network's seed and the weight's name."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import tensorflow as tf

STANDARD_DEVIATION = 0.02

Initializer = Callable[[int, str], tf.keras.initializers.Initializer]


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


def _release(mode: str) -> Initializer:
    """PyTorch's default for linear layers: uniform within 1 / sqrt(inputs)."""

    def start(seed: int, name: str) -> tf.keras.initializers.Initializer:
        return tf.keras.initializers.VarianceScaling(
            1 / 3, mode, "uniform", seed=_mixed(seed, name)
        )

    return start


def standard_normal(seed: int, name: str) -> tf.keras.initializers.Initializer:
    """Returns N(0, 1), PyTorch's default for embeddings."""
    return tf.keras.initializers.RandomNormal(stddev=1.0, seed=_mixed(seed, name))


def start_uniform(weights: Sequence[tf.Variable], bound: float, seed: int) -> None:
    """Overwrites weights of any kind with values uniform in [-bound, bound); the same
    for the same seed and order."""
    for number, weight in enumerate(weights):
        key = tf.constant([seed, number], tf.int64)
        weight.assign(tf.random.stateless_uniform(weight.shape, key, -bound, bound))


# For matrices [inputs, units]; "release" is what EMKD's release starts from.
INITIALIZERS: dict[str, Initializer] = {
    "normal": normal,
    "xavier": xavier_normal,
    "release": _release("fan_in"),
}
# For tables [ids, d] that are looked up.
EMBEDDINGS = {**INITIALIZERS, "release": standard_normal}
# For tables [items, d] that score: matrices whose inputs are the columns.
SCORING = {**INITIALIZERS, "release": _release("fan_out")}


def _mixed(seed: int, name: str) -> int:
    return zlib.crc32(f"{seed}/{name}".encode()) & 0x7FFFFFFF

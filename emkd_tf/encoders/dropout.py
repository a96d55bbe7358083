"""Dropout as a function of its seed, so that a training step can be replayed."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from emkd_tf.fusion import is_fusing


class Dropout:
    """Hands out a new seed at each call, all from one seed.

    Args:
        rate: probability of dropping a value, in [0, 1).
        seed: [2] int32, or None to drop nothing (inference).

    Attributes:
        is_training: whether there is a seed.
    """

    def __init__(self, rate: float, seed: tf.Tensor | None):
        self.is_training = seed is not None
        self.rate = 0.0 if seed is None else rate
        self._seed = seed
        self._calls = 0

    def next_seed(self) -> tf.Tensor:
        """Returns the seed [2] int32 of the next call; zeros where nothing is
        dropped."""
        if self.rate == 0.0:
            return tf.zeros([2], tf.int32)
        self._calls += 1
        # Folding leaves the number of the call as it is in half of the seed.
        folded = tf.random.experimental.stateless_fold_in(self._seed, self._calls)
        return tf.random.stateless_uniform([2], folded, None, None, tf.int32)


def drop(values: tf.Tensor, seed: tf.Tensor, rate: float) -> tf.Tensor:
    """Zeroes values at random and scales the others by 1 / (1 - rate).

    Args:
        values: float, up to 2^33 of them.
        seed: [2] int32; equal seeds and shapes drop the same places.
        rate: probability of dropping a value, in [0, 1); rounded to 1 / 65,536.
    """
    if rate == 0.0:
        return values
    bits = _random_bits(tf.shape(values), tf.bitcast(seed, tf.uint32))
    is_kept = bits >= tf.constant(min(round(rate * 2**16), 2**16 - 1), bits.dtype)
    return tf.where(is_kept, values * (1.0 / (1.0 - rate)), tf.zeros([], values.dtype))


def _random_bits(shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Draws 16 bits for each place: [2] uint32 to `shape` uint16 or uint32.

    Every hash is for two places. Without a kernel of its own an operation reads and
    writes all hashes, so half of them take half the time; within one a hash costs
    nothing, and taking it apart would break the kernel up.
    """
    count = tf.reduce_prod(shape)
    if is_fusing():
        places = tf.bitcast(tf.range(count), tf.uint32)
        upper = tf.bitwise.bitwise_and(places, np.uint32(1)) * np.uint32(16)
        hashes = _hash(tf.bitwise.right_shift(places, np.uint32(1)), seed)
        bits = tf.bitwise.bitwise_and(
            tf.bitwise.right_shift(hashes, upper), np.uint32(2**16 - 1)
        )
    else:
        pairs = tf.bitcast(tf.range((count + 1) // 2), tf.uint32)
        bits = tf.reshape(tf.bitcast(_hash(pairs, seed), tf.uint16), [-1])[:count]
    return tf.reshape(bits, shape)


def _hash(places: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Hashes places [n] uint32 with a seed [2] uint32.

    A dozen integer operations, without a state, so that they melt into the kernel that
    drops; the generators of TensorFlow and XLA take longer. The multipliers are those
    of the 32-bit finalizer "lowbias32" (Wellons 2018); its rounds are keyed by the two
    halves of the seed, which must be random themselves, as those of `Dropout` are.
    """

    def shifted(bits: tf.Tensor, by: int) -> tf.Tensor:
        return tf.bitwise.bitwise_xor(bits, tf.bitwise.right_shift(bits, np.uint32(by)))

    bits = places * np.uint32(0x9E3779B9) + seed[0]
    bits = shifted(bits, 16) * np.uint32(0x7FEB352D)
    bits = shifted(tf.bitwise.bitwise_xor(bits, seed[1]), 15) * np.uint32(0x846CA68B)
    return shifted(bits, 16)

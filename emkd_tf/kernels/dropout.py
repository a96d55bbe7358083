"""Dropout as a function of its seed, so that a training step can be replayed."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


def derived_seed(seed: tf.Tensor | None, number: int) -> tf.Tensor | None:
    """Derives the seed [2] int32 for one of several uses of `seed`; None, for no
    dropout, stays None."""
    if seed is None:
        return None
    return tf.random.experimental.stateless_fold_in(seed, number)


class Dropout:
    """Hands out a new seed at each call, all derived from one seed.

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

    def at_rate(self, rate: float) -> Dropout:
        """Returns a dropout with another rate and its own seeds."""
        self._calls += 1
        return Dropout(rate, derived_seed(self._seed, self._calls))

    def next_seed(self) -> tf.Tensor:
        """Returns the seed [2] int32 of the next call; zeros where nothing is
        dropped."""
        if self.rate == 0.0:
            return tf.zeros([2], tf.int32)
        self._calls += 1
        # Folding leaves the call's number unchanged in one half of the seed.
        folded = derived_seed(self._seed, self._calls)
        return tf.random.stateless_uniform([2], folded, None, None, tf.int32)


def drop(values: tf.Tensor, seed: tf.Tensor, rate: float) -> tf.Tensor:
    """Zeroes values at random and scales the others by 1 / (1 - rate).

    Args:
        values: float, up to 2^32 of them.
        seed: [2] int32; equal seeds and shapes drop the same places.
        rate: probability of dropping a value, in [0, 1).
    """
    if rate == 0.0:
        return values
    bits = _random_bits(tf.shape(values), tf.bitcast(seed, tf.uint32))
    is_kept = bits >= np.uint32(round(rate * 2**32))
    return tf.where(is_kept, values * (1.0 / (1.0 - rate)), tf.zeros([], values.dtype))


def _random_bits(shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Hashes each place with a seed: [2] uint32 to `shape` uint32.

    A dozen integer operations per value and no state, so they fuse into the kernel
    that drops; the generators of TensorFlow and XLA take longer than the rest of that
    kernel. The multipliers come from the 32-bit finalizer "lowbias32" (Wellons 2018);
    its rounds are keyed by the two halves of the seed, which must be random
    themselves, as the seeds of `Dropout` are.
    """

    def shifted(bits: tf.Tensor, by: int) -> tf.Tensor:
        return tf.bitwise.bitwise_xor(bits, tf.bitwise.right_shift(bits, np.uint32(by)))

    places = tf.reshape(tf.range(tf.reduce_prod(shape)), shape)
    bits = tf.bitcast(places, tf.uint32) * np.uint32(0x9E3779B9) + seed[0]
    bits = shifted(bits, 16) * np.uint32(0x7FEB352D)
    bits = shifted(tf.bitwise.bitwise_xor(bits, seed[1]), 15) * np.uint32(0x846CA68B)
    return shifted(bits, 16)

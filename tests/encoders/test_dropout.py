"""Dropout: rate, scale, and that its seed decides everything."""

import numpy as np
import tensorflow as tf

from emkd_tf.encoders.dropout import Dropout


def test_drops_at_its_rate_and_keeps_the_mean():
    values = Dropout(0.3, tf.constant([1, 2]))(tf.ones([200, 500])).numpy()
    assert abs((values == 0).mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / values.size)
    np.testing.assert_allclose(values[values > 0], 1 / 0.7, rtol=1e-6)


def test_equal_seeds_replay_and_calls_differ():
    first, second = (Dropout(0.5, tf.constant([3, 4])) for _ in range(2))
    ones = tf.ones([64])
    one, two = first(ones), first(ones)
    np.testing.assert_array_equal(one, second(ones))
    assert (one.numpy() != two.numpy()).any()
    other = Dropout(0.5, tf.constant([3, 5]))(ones)
    assert (one.numpy() != other.numpy()).any()


def test_drops_nothing_without_a_seed():
    np.testing.assert_array_equal(Dropout(0.5, None)(tf.ones([64])), 1)

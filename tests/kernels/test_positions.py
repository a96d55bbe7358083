"""Which positions of a batch are computed."""

import numpy as np
import tensorflow as tf

from emkd_tf.kernels.fusion import fusion
from emkd_tf.kernels.positions import chosen_positions, largest_count


def test_chosen_positions_with_and_without_a_static_shape():
    labels = tf.constant([0, 5, 0, 0, 2, 7, 0])

    def chosen(labels, capacity=None):
        positions, is_used = chosen_positions(labels, capacity)
        return positions.numpy().tolist(), is_used.numpy().tolist()

    assert chosen(labels) == ([1, 4, 5], [True] * 3)
    assert chosen(labels, 5) == ([1, 4, 5, 0, 0], [True] * 3 + [False] * 2)
    assert chosen(labels, 2) == ([1, 4], [True] * 2)
    assert chosen(tf.zeros([3], tf.int32)) == ([], [])
    with fusion(True):
        assert chosen(labels) == ([1, 4, 5] + [0] * 29, [True] * 3 + [False] * 29)
        assert chosen(tf.zeros([3], tf.int32)) == ([], [])


def test_a_bound_that_draws_do_not_exceed():
    rng = np.random.default_rng(0)
    counts = rng.binomial(1000, 0.2, size=10_000)
    assert counts.max() <= largest_count(1000, 0.2) < 300
    assert largest_count(10, 1.0) == 10

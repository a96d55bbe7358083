"""Packing against boolean indexing, with its gradients."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.encoders.packing import Packing

IS_ITEM = np.array([[0, 0, 1], [0, 1, 1], [0, 0, 0], [1, 1, 1]], bool)


def padded(width=2):
    return np.random.default_rng(0).normal(size=(*IS_ITEM.shape, width))


def test_pack_takes_the_items_in_order():
    packing = Packing(tf.constant(IS_ITEM), skip_padding=True)
    states = padded()
    np.testing.assert_allclose(packing.pack(tf.constant(states)), states[IS_ITEM])


@pytest.mark.parametrize("skip_padding", [True, False])
def test_unpack_returns_them_with_zeros_between(skip_padding):
    packing = Packing(tf.constant(IS_ITEM), skip_padding=skip_padding)
    states = padded()
    result = packing.unpack(packing.pack(tf.constant(states)))
    np.testing.assert_allclose(result, states * IS_ITEM[:, :, None])


@pytest.mark.parametrize("skip_padding", [True, False])
def test_gradients_flow_to_items_only(skip_padding):
    packing = Packing(tf.constant(IS_ITEM), skip_padding=skip_padding)
    states = tf.constant(padded())
    weights = tf.constant(padded() ** 2)
    with tf.GradientTape() as tape:
        tape.watch(states)
        value = tf.reduce_sum(weights * packing.unpack(3.0 * packing.pack(states)))
    expected = 3.0 * weights * IS_ITEM[:, :, None]
    np.testing.assert_allclose(tape.gradient(value, states), expected)


def test_padding_alone():
    packing = Packing(tf.zeros([2, 3], tf.bool), skip_padding=True)
    tokens = packing.pack(tf.ones([2, 3, 4]))
    assert tokens.shape == (0, 4)
    np.testing.assert_array_equal(packing.unpack(tokens), np.zeros([2, 3, 4]))

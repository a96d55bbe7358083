"""Packing against boolean indexing, with its gradients."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.kernels.fusion import fusion
from emkd_tf.kernels.packing import Packing, clear_spare

IS_ITEM = np.array([[0, 0, 1], [0, 1, 1], [0, 0, 0], [1, 1, 1]], bool)


def padded(width=2):
    return np.random.default_rng(0).normal(size=(*IS_ITEM.shape, width))


def test_pack_takes_the_items_in_order_and_adds_spare_rows():
    states = tf.constant(padded())
    for is_fused, num_rows in ((False, 7), (True, 32)):
        with fusion(is_fused):
            packing = Packing(tf.constant(IS_ITEM), skip_padding=True)
        tokens = packing.pack(states)
        assert tokens.shape == (num_rows, 2)
        np.testing.assert_allclose(tokens[:6], padded()[IS_ITEM])
        is_row = [[i < 6] for i in range(num_rows)]
        np.testing.assert_array_equal(packing.is_row, is_row)


@pytest.mark.parametrize("skip_padding", [True, False])
def test_unpack_returns_them_with_zeros_between(skip_padding):
    packing = Packing(tf.constant(IS_ITEM), skip_padding=skip_padding)
    tokens = packing.pack(tf.constant(padded()))
    result = packing.unpack(clear_spare(tokens, packing.is_row))
    np.testing.assert_allclose(result, padded() * IS_ITEM[:, :, None])


@pytest.mark.parametrize("is_fused", [False, True])
@pytest.mark.parametrize("skip_padding", [True, False])
def test_gradients_flow_to_items_only(skip_padding, is_fused):
    states, weights = tf.constant(padded()), tf.constant(padded() ** 2)
    with fusion(is_fused), tf.GradientTape() as tape:
        tape.watch(states)
        packing = Packing(tf.constant(IS_ITEM), skip_padding=skip_padding)
        tokens = clear_spare(3.0 * packing.pack(states), packing.is_row)
        value = tf.reduce_sum(weights * packing.unpack(tokens))
    expected = 3.0 * weights * IS_ITEM[:, :, None]
    np.testing.assert_allclose(tape.gradient(value, states), expected)


@pytest.mark.parametrize("skip_padding", [True, False])
def test_ids_are_padding_at_spare_rows(skip_padding):
    packing = Packing(tf.constant(IS_ITEM), skip_padding=skip_padding)
    ids = np.arange(1, 13, dtype=np.int32).reshape(IS_ITEM.shape)
    found, is_row = packing.pack_ids(tf.constant(ids)).numpy(), packing.is_row[:, 0]
    np.testing.assert_array_equal(found[is_row], ids[IS_ITEM])
    np.testing.assert_array_equal(found[~is_row], 0)


def test_padding_alone():
    packing = Packing(tf.zeros([2, 3], tf.bool), skip_padding=True)
    tokens = clear_spare(packing.pack(tf.ones([2, 3, 4])), packing.is_row)
    np.testing.assert_array_equal(packing.unpack(tokens), np.zeros([2, 3, 4]))


@pytest.mark.parametrize("skip_padding", [True, False])
def test_heads_are_parts_of_the_columns_and_come_back(skip_padding):
    heads, width = 2, 3
    states, weights = padded(heads * width), padded(heads * width) ** 2
    packing = Packing(tf.constant(IS_ITEM), skip_padding=skip_padding)

    def by_heads(x):
        return x.reshape(*IS_ITEM.shape, heads, width).transpose(0, 2, 1, 3)

    is_item = IS_ITEM[:, None, :, None]
    with tf.GradientTape() as tape:
        given = tf.constant(states)
        tape.watch(given)
        tokens = clear_spare(packing.pack(given), packing.is_row)
        (found,) = packing.to_heads(tokens, heads)
        back = clear_spare(packing.from_heads(found), packing.is_row)
        value = tf.reduce_sum(back * clear_spare(packing.pack(weights), packing.is_row))
    np.testing.assert_allclose(found, by_heads(states) * is_item)
    np.testing.assert_allclose(back, tokens)
    expected = weights * IS_ITEM[:, :, None]
    np.testing.assert_allclose(tape.gradient(value, given), expected)

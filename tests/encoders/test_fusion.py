"""Fused items against numpy, one item at a time."""

import numpy as np
import pytest
import tensorflow as tf
from numpy_layers import post_norm_block
from weights import randomized

from emkd_tf.encoders.attributes import AttributeEmbedding
from emkd_tf.encoders.fusion import FusedEmbedding
from emkd_tf.encoders.post_norm import PostNormEncoder
from emkd_tf.kernels.dropout import Dropout
from emkd_tf.kernels.packing import Packing

D, V, L, HEADS = 4, 4, 5, 2
ATTRIBUTE_IDS = np.array(
    [[0, 0, 0], [2, 0, 0], [1, 3, 4], [0, 0, 0], [4, 2, 0], [0, 0, 0]], np.int32
)
NOTHING = Dropout(0.0, None)


def relu(x):
    return np.maximum(x, 0.0)


def make(skip_padding=True):
    encoder = PostNormEncoder(
        hidden_units=D,
        num_blocks=2,
        num_heads=HEADS,
        seed=1,
        feed_forward_factor=1,
        activation="relu",
        epsilon=1e-5,
    )
    attributes = AttributeEmbedding(ATTRIBUTE_IDS, 4, D, seed=2)
    layer = FusedEmbedding(V + 2, L, attributes, encoder, 3, skip_padding)
    return randomized(layer, 0.7)


def by_hand(layer, item):
    own = layer.items.numpy()[item]
    vectors = layer.attributes.vectors.numpy()
    x = np.stack([own, *(vectors[a] for a in ATTRIBUTE_IDS[item] if a)])
    for block in layer.encoder.blocks:
        x = post_norm_block(x, block, HEADS, False, 1e-5, relu)
    return np.concatenate([own, x[0]])


@pytest.mark.parametrize("skip_padding", [True, False])
def test_an_item_among_its_attributes(skip_padding):
    layer, items = make(skip_padding), [2, 3, 1, 2, 4]
    expected = [by_hand(layer, item) for item in items]
    found = layer.fuse(tf.constant(items), NOTHING)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_tokens_know_their_places():
    layer = make()
    item_ids = tf.constant([[0, 2, 1]])
    packing = Packing(item_ids != 0, skip_padding=True)
    expected = np.stack([by_hand(layer, 2), by_hand(layer, 1)])
    expected += layer.positions.numpy()[-2:]
    found = layer(item_ids, packing, NOTHING)[:2]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_every_encoding_of_an_item_has_dropout_of_its_own():
    layer = make()
    one, other = layer.fuse(tf.constant([2, 2]), Dropout(0.5, tf.constant([1, 2])))
    np.testing.assert_array_equal(one[:D], other[:D])
    assert np.abs(one[D:] - other[D:]).max() > 1e-3

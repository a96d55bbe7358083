"""Attributes of items as one vector, against loops in numpy."""

import numpy as np
import pytest
import tensorflow as tf
from numpy_layers import dense, softmax

from emkd_tf.encoders.attributes import POOLINGS, AttributeEmbedding

D, A = 6, 4
# Padding, items 1 to 4 of which the third has no attribute, and the mask token.
ATTRIBUTE_IDS = np.array(
    [[0, 0, 0], [2, 0, 0], [1, 3, 4], [0, 0, 0], [4, 2, 0], [0, 0, 0]], np.int32
)
ITEMS = np.array([1, 3, 4, 2, 0, 5, 2])


def make(pooling):
    layers = AttributeEmbedding(ATTRIBUTE_IDS, A, D, seed=1), POOLINGS[pooling](D, 2)
    rng = np.random.default_rng(0)
    for layer in layers:
        for weight in layer.trainable_variables:
            weight.assign(rng.normal(size=weight.shape))
    return layers


def pooled(layers, items=ITEMS):
    embedding, pooling = layers
    return pooling(*embedding(tf.constant(items)))


def by_hand(layers, weigh):
    """[n, d]: the attributes of one item after the other, weighed by a function."""
    vectors = layers[0].vectors.numpy()
    found = np.zeros([len(ITEMS), D])
    for row, item in zip(found, ITEMS, strict=True):
        own = vectors[[number for number in ATTRIBUTE_IDS[item] if number]]
        if len(own):
            row += weigh(own) @ own
    return found


def test_the_mean_of_those_that_an_item_has():
    layers = make("mean")
    expected = by_hand(layers, lambda own: np.full(len(own), 1 / len(own)))
    np.testing.assert_allclose(pooled(layers), expected, rtol=1e-5, atol=1e-6)
    assert not layers[1].trainable_variables


def test_sums_of_those_that_an_item_has():
    embedding, pooling = make("mean")
    expected = by_hand((embedding, pooling), lambda own: np.ones(len(own)))
    found = embedding.sums(tf.constant(ITEMS))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    of_all = embedding.sums_of_all().numpy()
    assert of_all.shape == (len(ATTRIBUTE_IDS), D)
    np.testing.assert_allclose(of_all[ITEMS], expected, rtol=1e-5, atol=1e-6)


def test_attention_to_those_that_an_item_has():
    layers = make("attention")
    pooling = layers[1]

    def weigh(own):
        inner = np.maximum(dense(own, pooling.inner), 0.0)
        return softmax(dense(inner, pooling.outer)[:, 0])

    expected = by_hand(layers, weigh)
    np.testing.assert_allclose(pooled(layers), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_what_stands_at_no_attribute_neither_shows_nor_learns(pooling):
    layers = make(pooling)
    vectors = layers[0].vectors
    before = pooled(layers)
    weights = [w for layer in layers for w in layer.trainable_variables]
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(pooled(layers) ** 2)
    for gradient in map(tf.convert_to_tensor, tape.gradient(value, weights)):
        assert np.isfinite(gradient).all()
        assert np.abs(gradient).max() > 0
        if gradient.shape == vectors.shape:
            assert not gradient[0].numpy().any()
    vectors.assign(tf.concat([np.full([1, D], 9.0), vectors[1:]], axis=0))
    np.testing.assert_array_equal(pooled(layers), before)
    empty = ITEMS[[1, 4, 5]]
    np.testing.assert_array_equal(pooled(layers, empty), np.zeros([3, D]))

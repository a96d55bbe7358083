"""Next item prediction against numpy."""

import numpy as np
import tensorflow as tf

from emkd_tf.kernels.item_softmax import ItemSoftmax
from emkd_tf.objectives.next_item import next_item_loss, place_weights

T, D, V = 6, 3, 5
LABELS = np.array([2, 0, 5, 1, 0, 4], np.int32)
HAS_LABEL = LABELS != 0


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_is_the_cross_entropy_of_the_next_item_and_zero_without_one():
    logits = normal(T, V + 1)
    with tf.GradientTape() as tape:
        given = tf.constant(logits)
        tape.watch(given)
        loss = next_item_loss(given, tf.constant(LABELS))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = -np.log(probabilities[range(T), LABELS]) * HAS_LABEL
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    slope = (probabilities - np.eye(V + 1)[LABELS]) * HAS_LABEL[:, None]
    np.testing.assert_allclose(tape.gradient(loss, given), slope, atol=1e-6)


def test_places_weigh_the_same_in_batches_of_any_size():
    weights = place_weights(tf.constant(LABELS), 8.0)
    np.testing.assert_array_equal(weights, HAS_LABEL / 8.0)


def test_the_losses_over_the_catalogue_are_its_weighted_sum():
    states, table = tf.constant(normal(T, D)), tf.constant(normal(V + 1, D, seed=1))
    labels = tf.constant(LABELS)
    weights = place_weights(labels, 3.0)
    found = ItemSoftmax(1.0, None, chunk_size=2)([states], [table], [], labels, weights)
    loss = next_item_loss(tf.matmul(states, table, transpose_b=True), labels)
    expected = np.sum(loss) / 3.0
    np.testing.assert_allclose(found, [expected, 0.0, expected], rtol=1e-5)

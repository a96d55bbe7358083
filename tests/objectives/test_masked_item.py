"""MIP against numpy."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.objectives.masked_item import masked_item_loss


@pytest.mark.parametrize(("positions", "width"), [(1, 2), (5, 7), (33, 101)])
def test_equals_minus_log_of_the_softmax(positions, width):
    rng = np.random.default_rng(positions)
    logits = rng.normal(size=(positions, width)) * 3
    labels = rng.integers(width, size=positions)
    exponentials = np.exp(logits)
    probability = exponentials[np.arange(positions), labels] / exponentials.sum(1)
    loss = masked_item_loss(
        tf.constant(logits, tf.float32), tf.constant(labels, tf.int32)
    )
    np.testing.assert_allclose(loss, -np.log(probability), rtol=1e-5, atol=1e-6)


def test_no_positions_give_no_losses():
    loss = masked_item_loss(tf.zeros([0, 5]), tf.zeros([0], tf.int32))
    assert loss.shape == (0,)


def test_a_probability_that_rounds_to_zero_has_its_loss():
    logits = tf.constant([[0.0, 200.0, 0.0], [1.0, 2.0, 3.0]])
    loss = masked_item_loss(logits, tf.constant([0, 2]))
    expected = [200.0, np.log(1 + np.exp(-1.0) + np.exp(-2.0))]
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


def test_the_gradient_is_the_softmax_less_one_at_the_label():
    logits, labels = (
        tf.random.stateless_normal([4, 6], [1, 2]),
        tf.constant([0, 5, 2, 2]),
    )
    weights = tf.constant([1.0, 0.5, 0.0, 2.0])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = tf.reduce_sum(weights * masked_item_loss(logits, labels))
    exponentials = np.exp(logits)
    expected = exponentials / exponentials.sum(1, keepdims=True) - np.eye(6)[labels]
    found = tape.gradient(value, logits)
    np.testing.assert_allclose(found, expected * weights.numpy()[:, None], atol=1e-6)


def test_a_logit_that_is_no_number_gives_such_a_loss():
    loss = masked_item_loss(
        tf.constant([[np.nan, 1.0], [0.0, 1.0]]), tf.constant([1, 1])
    )
    assert np.isnan(loss[0])

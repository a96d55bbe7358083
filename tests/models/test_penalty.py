"""The price of large weights against arithmetic."""

import numpy as np
import tensorflow as tf

from emkd_tf.models.penalty import penalized


def test_large_weights_cost():
    weights = [tf.Variable([[3.0, -4.0]]), tf.Variable([2.0])]
    losses = {"total": tf.constant(1.0), "next_item": tf.constant(0.5)}
    with tf.GradientTape() as tape:
        found = penalized(losses, weights, 0.1)
    np.testing.assert_allclose(found["total"], 1 + 0.05 * (9 + 16 + 4), rtol=1e-6)
    assert found["next_item"] == 0.5
    for gradient, weight in zip(
        tape.gradient(found["total"], weights), weights, strict=True
    ):
        np.testing.assert_allclose(gradient, 0.1 * weight, rtol=1e-6)


def test_without_a_price_nothing_is_added():
    losses = {"total": tf.constant(1.0)}
    assert penalized(losses, [tf.Variable([3.0])], 0.0) is losses

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

"""AP against numpy."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.objectives.attribute import attribute_loss


@pytest.mark.parametrize(("positions", "attributes"), [(1, 1), (4, 3), (17, 40)])
def test_equals_the_binary_cross_entropy(positions, attributes):
    rng = np.random.default_rng(attributes)
    logits = rng.normal(size=(positions, attributes)) * 2
    truth = (rng.random((positions, attributes)) < 0.3).astype(float)
    probability = 1 / (1 + np.exp(-logits))
    expected = -(truth * np.log(probability) + (1 - truth) * np.log(1 - probability))
    loss = attribute_loss(
        tf.constant(logits, tf.float32), tf.constant(truth, tf.float32)
    )
    np.testing.assert_allclose(loss, expected.mean(axis=1), rtol=1e-5, atol=1e-6)


def test_large_logits_stay_finite():
    loss = attribute_loss(tf.constant([[500.0, -500.0]]), tf.constant([[0.0, 1.0]]))
    np.testing.assert_allclose(loss, [500.0])

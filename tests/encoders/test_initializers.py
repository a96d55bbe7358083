"""Initial weights."""

import numpy as np

from emkd_tf.encoders.initializers import normal


def test_seed_and_name_decide():
    weights = normal(1, "a")([200, 100]).numpy()
    np.testing.assert_array_equal(weights, normal(1, "a")([200, 100]))
    assert (weights != normal(2, "a")([200, 100]).numpy()).any()
    assert (weights != normal(1, "b")([200, 100]).numpy()).any()
    assert abs(weights.std() - 0.02) < 4 * 0.02 / np.sqrt(2 * weights.size)

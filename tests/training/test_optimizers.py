"""Adam against Keras' own, step by step."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.training.optimizers import Adam


@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
def test_equals_keras(sparse, amsgrad):
    rng = np.random.default_rng(0)
    start = rng.normal(size=(6, 4)).astype(np.float32)
    ours, theirs = tf.Variable(start), tf.Variable(start)
    optimizers = (
        (Adam(0.05, amsgrad=amsgrad), ours),
        (tf.keras.optimizers.Adam(0.05, amsgrad=amsgrad), theirs),
    )
    for _ in range(20):
        gradient = tf.constant(rng.normal(size=(3, 4)), tf.float32)
        places = rng.integers(0, 6, size=3)  # places may repeat
        dense = tf.math.unsorted_segment_sum(gradient, places, 6)
        for optimizer, variable in optimizers:
            given = tf.IndexedSlices(gradient, places, [6, 4]) if sparse else dense
            optimizer.apply_gradients([(given, variable)])
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    assert np.abs(ours - start).max() > 0.1
    assert int(optimizers[0][0].iterations) == 20

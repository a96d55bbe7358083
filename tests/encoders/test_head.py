"""The head against numpy."""

import numpy as np
import tensorflow as tf
from numpy_layers import dense, gelu, layer_norm

from emkd_tf.encoders.head import ItemHead


def test_it_is_a_dense_layer_gelu_and_a_norm():
    head, rng = ItemHead(6, seed=0), np.random.default_rng(0)
    for weight in head.trainable_variables:
        weight.assign(rng.normal(size=weight.shape))
    states = rng.normal(size=(5, 6))
    expected = layer_norm(gelu(dense(states, head.transform)), head.norm)
    found = head(tf.constant(states, tf.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)

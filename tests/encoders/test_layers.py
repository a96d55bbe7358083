"""The encoders' layers: where they start, and what is computed with them."""

import numpy as np
import pytest
import tensorflow as tf
from numpy_layers import dense, layer_norm
from weights import randomized

from emkd_tf.encoders.initializers import normal, xavier_normal
from emkd_tf.encoders.layers import Weights, add_product, normalize
from emkd_tf.kernels.dropout import Dropout

X = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("initialization", "start"), [("normal", normal), ("xavier", xavier_normal)]
)
def test_a_matrix_starts_from_seed_scope_and_name_and_a_bias_from_zero(
    initialization, start
):
    layer = Weights("block_1", 7, initialization).dense("inner", 3, 4)
    np.testing.assert_array_equal(layer.kernel, start(7, "block_1/inner")([3, 4]))
    np.testing.assert_array_equal(layer.bias, np.zeros(4))
    assert Weights("block_1", 7).dense("inner", 3, 4, use_bias=False).bias is None


@pytest.mark.parametrize("epsilon", [1e-6, 0.5])
def test_normalize_is_a_layer_norm(epsilon):
    layer = randomized(Weights("", 0).norm("norm", 3, epsilon))
    expected = layer_norm(X, layer, epsilon)
    np.testing.assert_allclose(normalize(X, layer), expected, rtol=1e-4, atol=1e-5)


def test_add_product_adds_the_layers_output():
    layer = randomized(Weights("", 0).dense("layer", 3, 3))
    found = add_product(X, X, layer, Dropout(0.0, None), "float32")
    np.testing.assert_allclose(found, X + dense(X, layer), rtol=1e-4, atol=1e-5)
    seed = tf.constant([1, 2])
    dropped = add_product(X, X, layer, Dropout(0.5, seed), "float32") - X
    is_kept = dropped.numpy() != 0
    assert 0 < is_kept.sum() < X.size
    np.testing.assert_allclose(
        dropped.numpy()[is_kept], 2.0 * dense(X, layer)[is_kept], rtol=1e-3, atol=1e-5
    )

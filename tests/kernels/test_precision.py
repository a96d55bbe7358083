"""Products in bfloat16 against float64, values and gradients."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.kernels.precision import matmul


@pytest.mark.parametrize(
    ("precision", "error"), [("float32", 1e-5), ("bfloat16", 0.02)]
)
@pytest.mark.parametrize("transpose_b", [False, True])
@pytest.mark.parametrize("width", [10, 50])  # narrower and wider than what comes in
def test_values_and_gradients_within_the_rounding(precision, error, transpose_b, width):
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=(20, 30)), rng.normal(size=(30, width))
    upstream = rng.normal(size=(20, width))
    given = right.T if transpose_b else right
    a, b = tf.constant(left, tf.float32), tf.constant(given, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch([a, b])
        product = matmul(a, b, precision, transpose_b=transpose_b)
    of_left, of_right = tape.gradient(
        product, [a, b], output_gradients=tf.constant(upstream, product.dtype)
    )
    assert product.dtype == precision
    product = tf.cast(product, tf.float32)
    expected_right = left.T @ upstream
    for found, expected in (
        (product, left @ right),
        (of_left, upstream @ right.T),
        (of_right, expected_right.T if transpose_b else expected_right),
    ):
        assert found.dtype == tf.float32
        np.testing.assert_allclose(found, expected, atol=error * np.abs(expected).max())
    is_rounded = np.abs(product - (left @ right)).max() > 1e-4
    assert is_rounded == (precision == "bfloat16")

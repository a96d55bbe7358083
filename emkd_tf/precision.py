"""Matrix products in a shorter number format; all else stays float32."""

from __future__ import annotations

import tensorflow as tf


def matmul(
    left: tf.Tensor,
    right: tf.Tensor,
    precision: str = "float32",
    *,
    transpose_b: bool = False,
) -> tf.Tensor:
    """Multiplies float32 matrices, with factors and product rounded to `precision`.

    Args:
        left, right: float32.
        precision: "float32" or "bfloat16"; processors with bfloat16 units multiply
            twice as fast.
        transpose_b: see tf.matmul.

    Returns:
        float32.
    """
    if precision == "float32":
        return tf.matmul(left, right, transpose_b=transpose_b)
    left, right = rounded(left, precision), rounded(right, precision)
    return tf.cast(tf.matmul(left, right, transpose_b=transpose_b), tf.float32)


def rounded(values: tf.Tensor, precision: str) -> tf.Tensor:
    """Converts a factor of many products to `precision` once."""
    return tf.cast(values, tf.as_dtype(precision))

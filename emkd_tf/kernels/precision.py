"""Matrix products in a shorter number format; everything else stays float32."""

from __future__ import annotations

import tensorflow as tf


def matmul(
    left: tf.Tensor,
    right: tf.Tensor,
    precision: str = "float32",
    *,
    transpose_b: bool = False,
) -> tf.Tensor:
    """Multiplies matrices, with factors and product rounded to `precision`.

    Args:
        left, right: float32 or `precision`.
        precision: "float32" or "bfloat16"; processors with bfloat16 units multiply
            at least twice as fast.
        transpose_b: see tf.matmul.

    Returns:
        `precision`.
    """
    left, right = rounded(left, precision), rounded(right, precision)
    return _product(left, right, transpose_b)


def rounded(values: tf.Tensor, precision: str) -> tf.Tensor:
    """Converts a factor used in many products to `precision` once."""
    return tf.cast(values, tf.as_dtype(precision))


def _product(left: tf.Tensor, right: tf.Tensor, transpose_b: bool) -> tf.Tensor:
    """tf.matmul of many rows [T, k] and a small matrix, with a faster gradient."""

    @tf.custom_gradient
    def product(left: tf.Tensor, right: tf.Tensor):
        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            by_left = tf.matmul(upstream, right, transpose_b=not transpose_b)
            if transpose_b:
                return by_left, tf.matmul(upstream, left, transpose_a=True)
            inputs, outputs = right.shape
            if inputs > outputs:
                # oneDNN sums over many rows a third faster into a wide matrix than
                # into a tall one.
                high = tf.matmul(upstream, left, transpose_a=True)
                return by_left, tf.transpose(high)
            return by_left, tf.matmul(left, upstream, transpose_a=True)

        return tf.matmul(left, right, transpose_b=transpose_b), gradient

    return product(left, right)

"""Losses and gradients that are not finite."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf


def are_finite(
    loss: tf.Tensor, gradients: Sequence[tf.Tensor | tf.IndexedSlices | None]
) -> tf.Tensor:
    """Tells whether a loss and all values of its gradients are finite: a bool scalar.

    Args:
        loss: scalar.
        gradients: None of a weight that the loss does not read.
    """
    known = [gradient for gradient in gradients if gradient is not None]
    values = tf.nest.flatten(known, expand_composites=True)
    sums = [tf.reduce_sum(v) for v in values if v.dtype.is_floating]
    return tf.reduce_all(tf.math.is_finite(tf.stack([*sums, loss])))


def cleared(
    gradient: tf.Tensor | tf.IndexedSlices | None, is_bad: tf.Tensor
) -> tf.Tensor | tf.IndexedSlices | None:
    """Zeroes a gradient if it is bad; slices stay slices."""
    if gradient is None:
        return None
    if not isinstance(gradient, tf.IndexedSlices):
        return tf.where(is_bad, 0.0, gradient)
    values = tf.where(is_bad, 0.0, gradient.values)
    return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)

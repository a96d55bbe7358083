"""Detects and clears losses and gradients that are not finite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import tensorflow as tf

from emkd_tf.models.replicas import global_sum

# None for weights that the loss does not read.
Gradient: TypeAlias = "tf.Tensor | tf.IndexedSlices | None"


def without_nonfinite(
    losses: dict[str, tf.Tensor], gradients: Sequence[Gradient]
) -> tuple[tf.Tensor, dict[str, tf.Tensor], list[Gradient]]:
    """Zeroes losses and gradients of all replicas if any value is not finite.

    Returns:
        Whether any value is not finite, a bool scalar; the losses; the gradients.
    """
    is_bad = tf.logical_not(are_finite(losses["total"], gradients))
    is_bad = global_sum(tf.cast(is_bad, tf.float32)) > 0.0
    losses = {name: tf.where(is_bad, 0.0, v) for name, v in losses.items()}
    return is_bad, losses, [cleared(gradient, is_bad) for gradient in gradients]


def are_finite(loss: tf.Tensor, gradients: Sequence[Gradient]) -> tf.Tensor:
    """Returns whether a scalar loss and all values of its gradients are finite, as a
    bool scalar."""
    known = [gradient for gradient in gradients if gradient is not None]
    values = tf.nest.flatten(known, expand_composites=True)
    sums = [tf.reduce_sum(v) for v in values if v.dtype.is_floating]
    return tf.reduce_all(tf.math.is_finite(tf.stack([*sums, loss])))


def cleared(gradient: Gradient, is_bad: tf.Tensor) -> Gradient:
    """Zeroes a gradient if it is bad; slices stay slices."""
    if gradient is None:
        return None
    if not isinstance(gradient, tf.IndexedSlices):
        return tf.where(is_bad, 0.0, gradient)
    values = tf.where(is_bad, 0.0, gradient.values)
    return tf.IndexedSlices(values, gradient.indices, gradient.dense_shape)

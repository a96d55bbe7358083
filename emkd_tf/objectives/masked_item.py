"""Masked item prediction (MIP)."""

from __future__ import annotations

import tensorflow as tf

_LEAST_PROBABILITY = 1e-30  # below, its logarithm is that of a rounded number, or none


def masked_item_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Scores the original items at chosen positions.

    Args:
        logits: [P, V + 1] float, one row a chosen position.
        labels: [P] int32, the original items.

    Returns:
        [P] float, cross entropy in nats.

    Source: Du et al. 2023, equation of MIP. Departure: none.
    """

    @tf.custom_gradient
    def differentiable(logits: tf.Tensor):
        loss, probabilities = cross_entropy(logits, labels)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            rows = tf.range(tf.shape(labels)[0])
            return tf.tensor_scatter_nd_sub(
                upstream[:, tf.newaxis] * probabilities,
                tf.stack([rows, labels], axis=1),
                upstream,
            )

        return loss, gradient

    return differentiable(logits)


def cross_entropy(logits: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the cross entropy [P] of logits [P, V + 1], and their softmax, which less
    one at the label is the gradient."""
    # As TensorFlow's own, but from the softmax of oneDNN, which takes half the time.
    probabilities = tf.nn.softmax(logits)
    of_labels = tf.gather(probabilities, labels, batch_dims=1)

    def by_normalizer() -> tf.Tensor:
        normalizer = tf.reduce_max(logits, axis=-1) - tf.math.log(
            tf.reduce_max(probabilities, axis=-1)
        )
        return normalizer - tf.gather(logits, labels, batch_dims=1)

    # Reading all logits once more is for labels whose probability is nearly zero.
    loss = tf.cond(
        tf.reduce_min(of_labels) > _LEAST_PROBABILITY,
        lambda: -tf.math.log(of_labels),
        by_normalizer,
    )
    return loss, probabilities

"""Masked item prediction (MIP)."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.fusion import fused


def masked_item_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Scores the original items at chosen positions.

    Args:
        logits: [P, V + 1] float, one row a chosen position.
        labels: [P] int32, the original items.

    Returns:
        [P] float, cross entropy in nats.

    Source: Du et al. 2023, equation of MIP. Departure: none.
    """

    # As TensorFlow's own, but without a second tensor as wide as the catalogue.
    @tf.custom_gradient
    def cross_entropy(logits: tf.Tensor):
        normalizer, loss = _normalizer_and_loss(logits, labels)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            return _gradient(logits, labels, normalizer, upstream)

        return loss, gradient

    return cross_entropy(logits)


@fused
def _normalizer_and_loss(
    logits: tf.Tensor, labels: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    normalizer = tf.reduce_logsumexp(logits, axis=-1)
    of_label = tf.where(_is_label(logits, labels), logits, 0.0)
    return normalizer, normalizer - tf.reduce_sum(of_label, axis=-1)


@fused
def _gradient(
    logits: tf.Tensor, labels: tf.Tensor, normalizer: tf.Tensor, upstream: tf.Tensor
) -> tf.Tensor:
    probabilities = tf.exp(logits - normalizer[:, tf.newaxis])
    truth = tf.cast(_is_label(logits, labels), logits.dtype)
    return upstream[:, tf.newaxis] * (probabilities - truth)


def _is_label(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    return labels[:, tf.newaxis] == tf.range(tf.shape(logits)[1])

"""Attribute prediction (AP)."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.fusion import fused


@fused
def attribute_loss(logits: tf.Tensor, has_attribute: tf.Tensor) -> tf.Tensor:
    """Scores the attributes of the items at some positions.

    Args:
        logits: [P, A] float, A >= 1.
        has_attribute: [P, A] float, one where the item has the attribute, else zero.

    Returns:
        [P] float, binary cross entropy in nats, mean over attributes.

    Source: Du et al. 2023, equation of AP. Departure: none.
    """
    losses = tf.nn.sigmoid_cross_entropy_with_logits(has_attribute, logits)
    return tf.reduce_mean(losses, axis=-1)

"""Attribute prediction (AP)."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.kernels.fusion import fused
from emkd_tf.special_ids import PAD_ID


@fused
def attribute_loss(logits: tf.Tensor, has_attribute: tf.Tensor) -> tf.Tensor:
    """Scores the attributes of the items at some positions.

    Args:
        logits: [P, A] float, A >= 1.
        has_attribute: [P, A] float, 1 where the item has the attribute, else 0.

    Returns:
        [P] float, binary cross entropy in nats, mean over attributes.

    Source: Du et al. 2023, equation of AP. Departure: none.
    """
    losses = tf.nn.sigmoid_cross_entropy_with_logits(has_attribute, logits)
    return tf.reduce_mean(losses, axis=-1)


def multi_hot(attribute_ids: tf.Tensor, num_attributes: int) -> tf.Tensor:
    """Turns lists of attributes into rows of zeros and ones.

    Args:
        attribute_ids: [P, K] int32, numbered from 1, each at most once per row, PAD_ID
            elsewhere.
        num_attributes: A.

    Returns:
        [P, A] float32.
    """
    num_rows = tf.shape(attribute_ids)[0]
    is_attribute = attribute_ids != PAD_ID
    rows = tf.broadcast_to(tf.range(num_rows)[:, tf.newaxis], tf.shape(attribute_ids))
    columns = tf.where(is_attribute, attribute_ids - 1, 0)
    return tf.scatter_nd(
        tf.stack([rows, columns], axis=-1),
        tf.cast(is_attribute, tf.float32),
        [num_rows, num_attributes],
    )

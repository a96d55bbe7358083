"""Masked item prediction (MIP)."""

from __future__ import annotations

import tensorflow as tf


def masked_item_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Scores the original items at chosen positions.

    Args:
        logits: [P, V + 1] float, one row a chosen position.
        labels: [P] int32, the original items.

    Returns:
        [P] float, cross entropy in nats.

    Source: Du et al. 2023, equation of MIP. Departure: none.
    """
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)

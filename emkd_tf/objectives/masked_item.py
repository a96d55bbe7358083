"""Masked item prediction (MIP)."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.kernels.softmax import softmax_cross_entropy


def masked_item_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Scores the original items at chosen positions: -log softmax(logits)[label].

    Args:
        logits: [P, V + 1] float, one row per chosen position.
        labels: [P] int32, the original items.

    Returns:
        [P] float, cross entropy in nats.

    Source: Du et al. 2023, equation of MIP. Departure: none.
    """
    return softmax_cross_entropy(logits, labels)

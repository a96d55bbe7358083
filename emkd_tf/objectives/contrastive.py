"""Intra-network (ICL) and cross-network (CCL) contrast."""

from __future__ import annotations

import tensorflow as tf


def contrastive_loss(
    anchors: tf.Tensor,
    views: tf.Tensor,
    negatives: tf.Tensor,
    is_self: tf.Tensor,
    *,
    temperature: float,
    self_term: bool = False,
) -> tf.Tensor:
    """Pulls each sequence to its own views and away from the other sequences.

    Args:
        anchors: [B, D] float, each sequence's states.
        views: [B, M, D] float, the states of its masked views.
        negatives: [C, D] float, the states of all sequences of the global batch: of the
            anchors' network for ICL, of the views' network for CCL.
        is_self: [B, C] bool, True where the negative is the anchor's own sequence.
        temperature: of the softmax, > 0.
        self_term: keep a constant exp(0) for the own sequence among the negatives.

    Returns:
        [B] float. A sequence without any negative gives 0: there is nothing to
        contrast.

    Source: Du et al. 2023, equations of ICL and CCL. Departure: the authors' release
    keeps exp(0) for the own sequence; `self_term` does the same, the default leaves it
    out.
    """
    anchors, views, negatives = (
        tf.math.l2_normalize(states, axis=-1) for states in (anchors, views, negatives)
    )
    positive = tf.einsum("bd,bmd->bm", anchors, views) / temperature
    negative = tf.matmul(anchors, negatives, transpose_b=True) / temperature  # [B, C]
    own = 0.0 if self_term else negative.dtype.min
    negative = tf.where(is_self, own, negative)
    loss = tf.reduce_logsumexp(negative, axis=-1) - tf.reduce_logsumexp(
        positive, axis=-1
    )
    has_negative = self_term | ~tf.reduce_all(is_self, axis=-1)
    return tf.where(has_negative, loss, 0.0)

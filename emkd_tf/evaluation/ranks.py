"""Exact ranks under all protocols, from scores or from user and item vectors."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.evaluation.metrics import NEVER
from emkd_tf.special_ids import PAD_ID

_TARGETS = [
    tf.TensorSpec([None], tf.int32),
    tf.TensorSpec([None, None], tf.int32),
    tf.TensorSpec([None, None], tf.bool),
]


@tf.function(
    input_signature=[
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([None, None], tf.float32),
        *_TARGETS,
    ]
)
def rank_targets(
    user_vectors: tf.Tensor,
    item_vectors: tf.Tensor,
    targets: tf.Tensor,
    seen: tf.Tensor,
    in_window: tf.Tensor,
) -> dict[str, tf.Tensor]:
    """Ranks targets by the product of user and item vectors, see `rank_scores`.

    Args:
        user_vectors: [B, D] float.
        item_vectors: [V, D] float, items 1..V.
        targets, seen, in_window: see `rank_scores`.
    """
    scores = tf.matmul(user_vectors, item_vectors, transpose_b=True)  # [B, V]
    return _ranks(scores, targets, seen, in_window)


@tf.function(input_signature=[tf.TensorSpec([None, None], tf.float64), *_TARGETS])
def rank_scores(
    scores: tf.Tensor, targets: tf.Tensor, seen: tf.Tensor, in_window: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Counts the items that score at least as high as the target.

    Ties count against the target, and so do NaN scores. A target that is itself
    excluded cannot be hit: its rank is NEVER.

    Args:
        scores: [B, V] float64, items 1..V.
        targets: [B] int32 item ids.
        seen: [B, W] int32, the history's items, each once, PAD_ID elsewhere.
        in_window: [B, W] bool, which of them are in the encoder's input window.

    Returns:
        [B] int32 ranks from 1 by protocol: "unseen" (items of the history excluded),
        "window" (items of the input window excluded), "all" (none excluded).
    """
    return _ranks(scores, targets, seen, in_window)


def _ranks(
    scores: tf.Tensor, targets: tf.Tensor, seen: tf.Tensor, in_window: tf.Tensor
) -> dict[str, tf.Tensor]:
    # The target's score must come from the same product: another would differ in its
    # last bits.
    target = tf.gather(scores, targets - 1, batch_dims=1)[:, tf.newaxis]
    # Count lower scores instead of the others directly: a graph optimizer turns
    # ~(x < y) into x >= y, which differs for NaN.
    rank = tf.shape(scores)[1] - _count(scores < target)
    seen_scores = tf.gather(scores, tf.maximum(seen - 1, 0), batch_dims=1)
    is_target = seen == targets[:, tf.newaxis]

    def without(is_excluded: tf.Tensor) -> tf.Tensor:
        is_lower = is_excluded & (seen_scores < target)
        not_lower = _count(is_excluded) - _count(is_lower)
        is_hopeless = tf.reduce_any(is_excluded & is_target, axis=1)
        return tf.where(is_hopeless, NEVER, rank - not_lower)

    is_seen = seen != PAD_ID
    return {
        "unseen": without(is_seen),
        "window": without(is_seen & in_window),
        "all": rank,
    }


def _count(is_counted: tf.Tensor) -> tf.Tensor:
    """Counts each row's true values, up to 2^24: [B, n] bool to [B] int32.

    It sums float32, which TensorFlow does twice as fast as integers.
    """
    return tf.cast(tf.reduce_sum(tf.cast(is_counted, tf.float32), axis=1), tf.int32)

"""Exact ranks under all protocols from one product of user and item vectors."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.special_ids import PAD_ID


@tf.function(
    input_signature=[
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([None], tf.int32),
        tf.TensorSpec([None, None], tf.int32),
        tf.TensorSpec([None, None], tf.bool),
    ]
)
def rank_targets(
    user_vectors: tf.Tensor,
    item_vectors: tf.Tensor,
    targets: tf.Tensor,
    seen: tf.Tensor,
    in_window: tf.Tensor,
) -> dict[str, tf.Tensor]:
    """Counts the items that score at least as high as the target.

    A tie counts against the target, and so does a score that is no number. The target
    itself stays a candidate even if it is in the history.

    Args:
        user_vectors: [B, D] float.
        item_vectors: [V, D] float, items 1..V.
        targets: [B] int32 item ids.
        seen: [B, W] int32, the history's items, each once, PAD_ID elsewhere.
        in_window: [B, W] bool, which of them are in the encoder's input window.

    Returns:
        [B] int32 ranks from 1 by protocol: "unseen" (items of the history excluded),
        "window" (those of the input window excluded), "all" (none excluded).
    """
    scores = tf.matmul(user_vectors, item_vectors, transpose_b=True)  # [B, V]
    # The target's score comes from the same product: another one differs in its last
    # bits.
    target = tf.gather(scores, targets - 1, batch_dims=1)[:, tf.newaxis]
    # Counting what is lower, not what is not: a graph optimizer turns ~(x < y) into
    # x >= y, which differs for a NaN.
    rank = tf.shape(scores)[1] - _count(scores < target)
    seen_scores = tf.gather(scores, tf.maximum(seen - 1, 0), batch_dims=1)
    is_rival = (seen != PAD_ID) & (seen != targets[:, tf.newaxis])

    def not_lower(is_excluded: tf.Tensor) -> tf.Tensor:
        is_lower = is_excluded & (seen_scores < target)
        return _count(is_excluded) - _count(is_lower)

    return {
        "unseen": rank - not_lower(is_rival),
        "window": rank - not_lower(is_rival & in_window),
        "all": rank,
    }


def _count(is_counted: tf.Tensor) -> tf.Tensor:
    """Counts each row's true values, up to 2^24: [B, n] bool to [B] int32.

    Sums of float32, which TensorFlow adds up twice as fast as integers.
    """
    return tf.cast(tf.reduce_sum(tf.cast(is_counted, tf.float32), axis=1), tf.int32)

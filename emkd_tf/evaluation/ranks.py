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
    count = tf.math.count_nonzero
    rank = tf.shape(scores)[1] - count(scores < target, axis=1, dtype=tf.int32)
    seen_scores = tf.gather(scores, tf.maximum(seen - 1, 0), batch_dims=1)
    is_rival = (seen != PAD_ID) & (seen != targets[:, tf.newaxis])

    def not_lower(is_excluded: tf.Tensor) -> tf.Tensor:
        is_lower = is_excluded & (seen_scores < target)
        both = [count(x, axis=1, dtype=tf.int32) for x in (is_excluded, is_lower)]
        return both[0] - both[1]

    return {
        "unseen": rank - not_lower(is_rival),
        "window": rank - not_lower(is_rival & in_window),
        "all": rank,
    }

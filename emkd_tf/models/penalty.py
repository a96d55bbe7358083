"""The L2 penalty on weights."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from emkd_tf.models.replicas import num_replicas


def penalized(
    losses: dict[str, tf.Tensor], weights: Sequence[tf.Variable], l2: float
) -> dict[str, tf.Tensor]:
    """Adds this replica's share of l2 / 2 * the sum of all squared weights to the total
    loss.

    The gradient is l2 * w, like `weight_decay` in PyTorch's Adam.
    """
    if not l2:
        return losses
    squares = tf.add_n([tf.nn.l2_loss(weight) for weight in weights])
    return {**losses, "total": losses["total"] + l2 / num_replicas() * squares}

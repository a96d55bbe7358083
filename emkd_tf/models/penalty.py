"""The price of large weights."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from emkd_tf.models.replicas import num_replicas


def penalized(
    losses: dict[str, tf.Tensor], weights: Sequence[tf.Variable], l2: float
) -> dict[str, tf.Tensor]:
    """Adds l2 / 2 * the sum of all squared weights to the total of losses, as this
    replica's share of it.

    What Adam of PyTorch makes of its `weight_decay`: a gradient of l2 * w.
    """
    if not l2:
        return losses
    squares = tf.add_n([tf.nn.l2_loss(weight) for weight in weights])
    return {**losses, "total": losses["total"] + l2 / num_replicas() * squares}

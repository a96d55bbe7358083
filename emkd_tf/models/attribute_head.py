"""Heads that predict the attributes of an item from its state."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from emkd_tf.encoders.initializers import INITIALIZERS
from emkd_tf.models.from_config import network_seeds
from emkd_tf.models.tower import Tower


class AttributeHead(tf.keras.layers.Layer):
    """Attribute logits d -> A.

    Args:
        width: d.
        num_attributes: A, >= 1.
        seed: of the initial weights.
        initialization: of the matrix, one of INITIALIZERS.
    """

    def __init__(
        self, width: int, num_attributes: int, seed: int, initialization: str = "normal"
    ):
        super().__init__()
        self.weight = self.add_weight(
            "attribute_weights",
            [width, num_attributes],
            initializer=INITIALIZERS[initialization](seed, "attribute_weights"),
        )
        self.bias = self.add_weight(
            "attribute_bias", [num_attributes], initializer="zeros"
        )

    def call(self, states: tf.Tensor) -> tf.Tensor:
        """Scores attributes: [P, d] to [P, A]."""
        return tf.matmul(states, self.weight) + self.bias


def make_attribute_heads(
    towers: Sequence[Tower], num_attributes: int, seed: int
) -> list[AttributeHead]:
    """Returns one head per tower; each starts from different weights."""
    seeds = network_seeds(seed, len(towers))
    return [
        AttributeHead(tower.width, num_attributes, own, tower.initialization)
        for tower, own in zip(towers, seeds, strict=True)
    ]

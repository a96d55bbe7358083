"""The heads of pre-training, through which states are compared."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from emkd_tf.encoders.initializers import normal
from emkd_tf.encoders.layers import Weights


class PretrainingHead(tf.keras.layers.Layer):
    """The maps that a network's states pass before they are compared, and the
    attributes that they are compared with.

    Args:
        width: d.
        terms: names of the terms that compare states.
        num_attributes: A; 0 for none.
        seed: of the initial weights.

    Attributes:
        maps: d -> d with a bias, by name of the term.
        attributes: [A, d], which AAP and MAP share; None without attributes.
    """

    def __init__(
        self, width: int, terms: Sequence[str], num_attributes: int, seed: int
    ):
        super().__init__()
        weights = Weights("pretraining", seed)
        self.maps = {name: weights.dense(name, width, width) for name in terms}
        self.attributes = (
            self.add_weight(
                "attributes",
                [num_attributes, width],
                initializer=normal(seed, "attributes"),
            )
            if num_attributes
            else None
        )

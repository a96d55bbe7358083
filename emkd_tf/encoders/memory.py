"""A memory that states read from."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from emkd_tf.encoders.initializers import normal
from emkd_tf.encoders.layers import Weights
from emkd_tf.kernels.dropout import Dropout, drop


class MemoryRead(tf.keras.layers.Layer):
    """dropout(softmax(x W + b) M + x): adds what a state reads from the memory's slots.

    Args:
        hidden_units: width of the states.
        num_slots: rows of M, >= 1.
        dropout: probability, in [0, 1).
        seed: of the initial weights.

    Call:
        states: [n, width] float; dropout: for its seeds.
        Returns [n, width] float.

    Source: Qiu et al. 2021 (MMInfoRec), section 3.3. Departure: none.
    """

    def __init__(
        self,
        hidden_units: int,
        num_slots: int,
        dropout: float,
        seed: int,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self._dropout_rate = dropout
        self.address = Weights("memory", seed).dense("address", hidden_units, num_slots)
        self.slots = self.add_weight(
            "slots", [num_slots, hidden_units], initializer=normal(seed, "slots")
        )

    def call(self, states: tf.Tensor, dropout: Dropout) -> tf.Tensor:
        read = tf.matmul(tf.nn.softmax(self.address(states)), self.slots)
        own = dropout.at_rate(self._dropout_rate)
        return drop(read + states, own.next_seed(), own.rate)

"""Item and position embeddings."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from emkd_tf.encoders.dropout import Dropout, drop
from emkd_tf.encoders.initializers import normal
from emkd_tf.encoders.packing import Packing
from emkd_tf.fusion import fused


@fused
def _add_positions(
    items: tf.Tensor, positions: tf.Tensor, seed: tf.Tensor, *, rate: float
) -> tf.Tensor:
    return drop(items + positions, seed, rate)


@tf.keras.utils.register_keras_serializable("emkd_tf")
class ItemEmbedding(tf.keras.layers.Layer):
    """Adds a learned item embedding and a learned position embedding.

    Sequences are left-padded: the last column always has the last position, and a batch
    narrower than `max_length` uses the last positions.

    Call:
        item_ids: [B, L] int32, L <= max_length; packing: of their items; dropout.
        Returns [T, d] float, one row an item.

    Source: Du et al. 2023 (encoder). Departure: none.
    """

    def __init__(
        self,
        vocabulary_size: int,
        max_length: int,
        hidden_units: int,
        seed: int,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.vocabulary_size = vocabulary_size
        self.max_length = max_length
        self.hidden_units = hidden_units
        self.seed = seed
        self.items = self.add_weight(
            "items", [vocabulary_size, hidden_units], initializer=normal(seed, "items")
        )
        self.positions = self.add_weight(
            "positions", [max_length, hidden_units], initializer=normal(seed, "places")
        )

    def call(
        self, item_ids: tf.Tensor, packing: Packing, dropout: Dropout
    ) -> tf.Tensor:
        batch, length = tf.unstack(tf.shape(item_ids))
        positions = tf.range(self.max_length - length, self.max_length)
        positions = tf.broadcast_to(positions, [batch, length])
        items = tf.gather(self.items, packing.pack(item_ids))
        positions = tf.gather(self.positions, packing.pack(positions))
        seed = dropout.next_seed()
        return _add_positions(items, positions, seed, rate=dropout.rate)

    def get_config(self) -> dict[str, Any]:
        names = ("vocabulary_size", "max_length", "hidden_units", "seed")
        return {**super().get_config(), **{n: getattr(self, n) for n in names}}

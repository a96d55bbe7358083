"""Fuses an item and its attributes into one vector."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from emkd_tf.encoders.attributes import AttributeEmbedding
from emkd_tf.encoders.embedding import at_places
from emkd_tf.encoders.folding import Folding
from emkd_tf.encoders.initializers import normal
from emkd_tf.kernels.dropout import Dropout
from emkd_tf.kernels.packing import Packing

_ITEMS_AT_ONCE = 8192


class FusedEmbedding(tf.keras.layers.Layer):
    """[e; g]: an item's embedding, and its state in a transformer over the item and its
    attributes, which have no order.

    Args:
        vocabulary_size: V + 2.
        max_length: L.
        attributes: of the items.
        encoder: bidirectional, of width d.
        seed: of the initial weights.
        skip_padding: see `Packing`.

    Call:
        item_ids: [B, L] int32, L <= max_length; packing: of their items; dropout.
        Returns [T, 2d] float, one row per item: dropout([e; g] + P).

    Source: Qiu et al. 2021 (MMInfoRec), section 3.2, and the authors' release.
    Departure: positions count from the newest item, as everywhere here.
    """

    def __init__(
        self,
        vocabulary_size: int,
        max_length: int,
        attributes: AttributeEmbedding,
        encoder: tf.keras.layers.Layer,
        seed: int,
        skip_padding: bool,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.attributes, self.encoder = attributes, encoder
        self._skips, self.folding = skip_padding, Folding()
        width = encoder.hidden_units
        self.items = self.add_weight(
            "items", [vocabulary_size, width], initializer=normal(seed, "items")
        )
        self.positions = self.add_weight(
            "positions", [max_length, 2 * width], initializer=normal(seed, "places")
        )

    def fuse(self, item_ids: tf.Tensor, dropout: Dropout) -> tf.Tensor:
        """Returns [e; g] of items: [n] int32 to [n, 2d] float."""
        if self.folding.table is not None:
            return tf.gather(self.folding.table, item_ids)
        items = tf.gather(self.items, item_ids)
        attributes, is_attribute = self.attributes(item_ids)
        # The item comes last, where an encoder can return its state alone.
        tokens = tf.concat([attributes, items[:, tf.newaxis]], axis=1)
        is_token = tf.pad(is_attribute, [[0, 0], [0, 1]], constant_values=True)
        packing = Packing(is_token, skip_padding=self._skips)
        states = self.encoder(packing.pack(tokens), packing, dropout, last_only=True)
        return tf.concat([items, states], axis=1)

    def call(
        self, item_ids: tf.Tensor, packing: Packing, dropout: Dropout
    ) -> tf.Tensor:
        tokens = self.fuse(packing.pack(item_ids), dropout)
        return at_places(tokens, self.positions, packing, dropout)

    def rows(self, item_ids: tf.Tensor) -> tf.Tensor:
        """See `ItemEmbedding.rows`."""
        return self.fuse(item_ids, Dropout(0.0, None))

    def table(self, num_rows: int) -> tf.Tensor:
        """See `ItemEmbedding.table`; row 0 is meaningless."""
        item_ids = tf.range(num_rows)
        parts = [
            self.rows(item_ids[first : first + _ITEMS_AT_ONCE])
            for first in range(0, num_rows, _ITEMS_AT_ONCE)
        ]
        return tf.concat(parts, axis=0)

    def table_variable(self) -> tf.Variable:
        """See `ItemEmbedding.table_variable`."""
        table = self.table(self.items.shape[0])
        return tf.Variable(table, trainable=False, name="item_table")

    @property
    def folded_variables(self) -> list[tf.Variable]:
        """See `ItemEmbedding.folded_variables`."""
        return [w for w in self.trainable_variables if w is not self.positions]

"""A tower whose items are fused with their attributes, in histories and in scores."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from emkd_tf.encoders.attributes import AttributeEmbedding
from emkd_tf.encoders.fusion import FusedEmbedding
from emkd_tf.encoders.memory import MemoryRead
from emkd_tf.encoders.post_norm import PostNormEncoder
from emkd_tf.kernels.compute import PLAIN, Compute
from emkd_tf.kernels.dropout import Dropout
from emkd_tf.kernels.packing import Packing, clear
from emkd_tf.models.from_config import network_seeds
from emkd_tf.models.tower import Tower
from emkd_tf.special_ids import vocabulary_size


class FusedTower(Tower):
    """A tower that computes its item table: an item is [e; g], its embedding and its
    state in a transformer over itself and its attributes. States read from a memory.

    Args:
        encoder: of width 2d.
        num_items, max_length: V and L.
        attribute_ids, num_attributes: see `AttributeEmbedding`.
        num_blocks, num_heads: of the transformer over an item and its attributes.
        memory_slots: of the memory; 0 for no memory.
        memory_dropout: after the memory.
        seed, compute, options: of `Tower`.

    Source: Qiu et al. 2021 (MMInfoRec), section 3, and the authors' release ("attcc").
    Departure: see `FusedEmbedding`.
    """

    def __init__(
        self,
        encoder: tf.keras.layers.Layer,
        *,
        num_items: int,
        max_length: int,
        attribute_ids: np.ndarray,
        num_attributes: int,
        num_blocks: int = 1,
        num_heads: int = 1,
        memory_slots: int = 0,
        memory_dropout: float = 0.0,
        seed: int = 0,
        compute: Compute = PLAIN,
        **options: Any,
    ):
        (own,) = network_seeds(seed, 1)
        half = encoder.hidden_units // 2
        fusion = PostNormEncoder(
            hidden_units=half,
            num_blocks=num_blocks,
            num_heads=num_heads,
            seed=own,
            feed_forward_factor=1,
            activation="relu",
            epsilon=1e-5,
            precision=compute.precision,
            name="fusion",
        )
        embedding = FusedEmbedding(
            vocabulary_size(num_items),
            max_length,
            AttributeEmbedding(attribute_ids, num_attributes, half, own),
            fusion,
            seed,
            skip_padding=not compute.static_shapes,
        )
        super().__init__(
            encoder,
            num_items=num_items,
            max_length=max_length,
            seed=seed,
            embedding=embedding,
            compute=compute,
            **{**options, "tie_item_embeddings": True},
        )
        width = encoder.hidden_units
        self.memory = (
            MemoryRead(width, memory_slots, memory_dropout, own)
            if memory_slots
            else None
        )

    def encode_rows(
        self, item_ids: tf.Tensor, packing: Packing, dropout: Dropout, last_only: bool
    ) -> tf.Tensor:
        states = super().encode_rows(item_ids, packing, dropout, last_only)
        states = self.remember(states, dropout)
        return states if last_only else clear(states, packing.is_row)

    def remember(self, states: tf.Tensor, dropout: Dropout) -> tf.Tensor:
        """Returns states [n, 2d] plus what they read from the memory, if any."""
        return states if self.memory is None else self.memory(states, dropout)

    @property
    def parts(self) -> list[tf.keras.layers.Layer]:
        return [*super().parts, *([] if self.memory is None else [self.memory])]

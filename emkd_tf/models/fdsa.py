"""FDSA: one network reads the items, another their attributes; together they predict
the next item."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.data.histories import Histories
from emkd_tf.encoders.attributes import POOLINGS, AttributeEmbedding
from emkd_tf.encoders.embedding import EPSILON, at_places
from emkd_tf.encoders.layers import Weights, normalize
from emkd_tf.kernels.dropout import Dropout, drop
from emkd_tf.kernels.packing import Packing, clear
from emkd_tf.kernels.precision import matmul
from emkd_tf.models.from_config import (
    attributes_of,
    make_towers,
    network_seeds,
    require_attributes,
)
from emkd_tf.models.next_item import NextItemModel
from emkd_tf.models.tower import Tower


class TwoStreamTower(Tower):
    """A tower with a second encoder over its items' attributes.

    state = dropout(LN([state of the items; state of the attributes] W + b))

    Args:
        encoder: of the items; the attributes get one like it with its own weights.
        attribute_ids, num_attributes: see `AttributeEmbedding`.
        pooling: how the attributes of an item become one vector, a name of POOLINGS.
        options: of `Tower`.

    Source: Zhang et al. 2019 (FDSA), section 3; both streams share the positions and
    the norm of the embedding, as in RecBole. Departure: the last norm is separate.
    """

    def __init__(
        self,
        encoder: tf.keras.layers.Layer,
        *,
        attribute_ids: np.ndarray,
        num_attributes: int,
        pooling: str,
        seed: int = 0,
        **options: Any,
    ):
        super().__init__(encoder, seed=seed, **options)
        (own,) = network_seeds(seed, 1)
        width = self.width
        self.attributes = AttributeEmbedding(attribute_ids, num_attributes, width, own)
        self.pooling = POOLINGS[pooling](width, own)
        like_that = {**encoder.get_config(), "seed": own, "name": "attribute_encoder"}
        self.attribute_encoder = type(encoder).from_config(like_that)
        weights = Weights("streams", own)
        self.join = weights.dense("join", 2 * width, width)
        self.join_norm = weights.norm("join_norm", width, EPSILON)

    def encode_rows(
        self, item_ids: tf.Tensor, packing: Packing, dropout: Dropout, last_only: bool
    ) -> tf.Tensor:
        of_items = super().encode_rows(item_ids, packing, dropout, last_only)
        tokens = self.pooling(*self.attributes(packing.pack(item_ids)))
        embedding = self.embedding
        tokens = at_places(
            tokens, embedding.positions, packing, dropout, embedding.norm
        )
        of_attributes = self.attribute_encoder(
            tokens, packing, dropout, last_only=last_only
        )
        both = tf.concat([of_items, of_attributes], axis=-1)
        states = matmul(both, self.join.kernel, self.compute.precision)
        states = tf.nn.bias_add(tf.cast(states, tf.float32), self.join.bias)
        states = normalize(states, self.join_norm)
        states = drop(states, dropout.next_seed(), dropout.rate)
        return states if last_only else clear(states, packing.is_row)

    @property
    def parts(self) -> list[tf.keras.layers.Layer]:
        further = [self.attributes, self.pooling, self.attribute_encoder]
        return [*super().parts, *further, self.join, self.join_norm]


class FDSA(NextItemModel):
    """Next item prediction from items and their attributes; attributes of candidate
    items are not read.

    Args: see `NextItemModel`; the towers are `TwoStreamTower`.

    Source: Zhang et al. 2019. Departures: see `NextItemModel` and `TwoStreamTower`.
    """

    ENCODER = "causal_post_norm"

    @classmethod
    def check(cls, config: Config, histories: Histories) -> None:
        require_attributes(config, histories)

    @classmethod
    def create(cls, config: Config, histories: Histories) -> NextItemModel:
        """Builds the model of a config for a dataset.

        Raises:
            InputError: the dataset has no attributes, or see `NextItemModel`.
        """
        cls.check(config, histories)
        return super().create(config, histories)

    @classmethod
    def build_towers(cls, config: Config, histories: Histories) -> list[Tower]:
        form = partial(
            TwoStreamTower,
            **attributes_of(histories),
            pooling=config.model.attribute_pooling,
        )
        return make_towers(config, histories, cls.ENCODER, form=form)

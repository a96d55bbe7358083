"""Item and position embeddings."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from emkd_tf.encoders.attributes import AttributeEmbedding
from emkd_tf.encoders.folding import Folding
from emkd_tf.encoders.initializers import EMBEDDINGS
from emkd_tf.encoders.layers import Weights, layer_norm, normalize
from emkd_tf.kernels.dropout import Dropout, drop
from emkd_tf.kernels.fusion import fused
from emkd_tf.kernels.packing import Packing

EPSILON = 1e-12  # in the norm, as in BERT


@fused
def _add_positions(
    items: tf.Tensor, positions: tf.Tensor, seed: tf.Tensor, *, rate: float
) -> tf.Tensor:
    return drop(items + positions, seed, rate)


@fused
def _norm_sum(
    items: tf.Tensor,
    positions: tf.Tensor,
    scale: tf.Tensor,
    offset: tf.Tensor,
    seed: tf.Tensor,
    *,
    rate: float,
) -> tf.Tensor:
    return drop(
        layer_norm(items + positions, scale, offset, epsilon=EPSILON), seed, rate
    )


def at_places(
    tokens: tf.Tensor,
    positions: tf.Variable | None,
    packing: Packing,
    dropout: Dropout,
    norm: tf.keras.layers.LayerNormalization | None = None,
) -> tf.Tensor:
    """Adds positions to tokens: dropout(x + P), or with a norm dropout(LN(x + P)).

    Args:
        tokens: [T, d] float.
        positions: [max_length, d], the last row for the last column; None leaves them
            out.
        packing: of the tokens' places in [B, L], L <= max_length.
        dropout: of the sum.
        norm: of the sum.
    """
    if positions is None:
        tokens = tokens if norm is None else normalize(tokens, norm)
        return drop(tokens, dropout.next_seed(), dropout.rate)
    batch, length = tf.unstack(tf.shape(packing.is_item))
    places = tf.range(positions.shape[0] - length, positions.shape[0])
    places = packing.pack(tf.broadcast_to(places, [batch, length]))
    of_places, seed = tf.gather(positions, places), dropout.next_seed()
    if norm is None:
        return _add_positions(tokens, of_places, seed, rate=dropout.rate)
    return _norm_sum(tokens, of_places, norm.gamma, norm.beta, seed, rate=dropout.rate)


@tf.keras.utils.register_keras_serializable("emkd_tf")
class ItemEmbedding(tf.keras.layers.Layer):
    """Adds a learned item embedding and a learned position embedding: dropout(E + P),
    or with `norm` dropout(LN(E + P)); without `use_positions` there is no P.

    With `attributes` an item is E + the sum of its attributes' vectors, both here and
    where items are scored, so that what is learned about one item carries over to
    similar ones. With `scale` it is sqrt(d) E here, and E where it is scored.

    Sequences are left-padded: the last column always has the last position, and a batch
    narrower than `max_length` uses the last positions.

    Args:
        vocabulary_size, max_length, hidden_units: of the tables.
        seed: of the initial weights.
        norm: apply a layer norm to the sum.
        use_positions: off for encoders that know the order of items without.
        initialization: of the tables, one of EMBEDDINGS.
        attributes: of the items, or None.
        scale: multiply items by sqrt(d) before adding positions.

    Call:
        item_ids: [B, L] int32, L <= max_length; packing: of their items; dropout.
        Returns [T, d] float, one row per item.

    Source: Du et al. 2023 (encoder); the norm as in Devlin et al. 2019 (BERT), the sum
    as in Rendle 2010 (factorization machines), the factor as in Vaswani et al. 2017 and
    the release of SASRec. Departure: none.
    """

    def __init__(
        self,
        vocabulary_size: int,
        max_length: int,
        hidden_units: int,
        seed: int,
        norm: bool = False,
        use_positions: bool = True,
        initialization: str = "normal",
        attributes: AttributeEmbedding | None = None,
        scale: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.attributes, self.scale = attributes, scale
        self.folding = Folding()
        self.vocabulary_size = vocabulary_size
        self.max_length = max_length
        self.hidden_units = hidden_units
        self.seed, self.initialization = seed, initialization
        self.norm = None
        if norm:
            weights = Weights("embedding", seed)
            self.norm = weights.norm("norm", hidden_units, EPSILON)
        start = EMBEDDINGS[initialization]
        self.items = self.add_weight(
            "items", [vocabulary_size, hidden_units], initializer=start(seed, "items")
        )
        self.positions = None
        if use_positions:
            self.positions = self.add_weight(
                "positions",
                [max_length, hidden_units],
                initializer=start(seed, "places"),
            )

    def call(
        self, item_ids: tf.Tensor, packing: Packing, dropout: Dropout
    ) -> tf.Tensor:
        items = self.rows(packing.pack(item_ids))
        if self.scale:
            items *= self.hidden_units**0.5
        return at_places(items, self.positions, packing, dropout, self.norm)

    def rows(self, item_ids: tf.Tensor) -> tf.Tensor:
        """Returns items without positions: [n] int32 to [n, d] float."""
        if self.folding.table is not None:
            return tf.gather(self.folding.table, item_ids)
        own = tf.gather(self.items, item_ids)
        return own if self.attributes is None else own + self.attributes.sums(item_ids)

    def table(self, num_rows: int) -> tf.Tensor:
        """Returns the `rows` of the first ids, [num_rows, d]."""
        own = self.items[:num_rows]
        if self.attributes is None:
            return own
        return own + self.attributes.sums_of_all()[:num_rows]

    def table_variable(self) -> tf.Variable:
        """Returns the `table` with all rows, [V + 2, d], as a variable."""
        if self.attributes is None:
            return self.items
        table = self.table(self.vocabulary_size)
        return tf.Variable(table, trainable=False, name="item_table")

    @property
    def folded_variables(self) -> list[tf.Variable]:
        """The weights that `table_variable` replaces."""
        if self.attributes is None:
            return []
        return [self.items, *self.attributes.trainable_variables]

    def get_config(self) -> dict[str, Any]:
        if self.attributes is not None:
            raise NotImplementedError("Attributes belong to a dataset.")
        names = ("vocabulary_size", "max_length", "hidden_units", "seed")
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in (*names, "initialization")},
            "norm": self.norm is not None,
            "use_positions": self.positions is not None,
            "scale": self.scale,
        }

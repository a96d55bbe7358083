"""A tower: turns a history into a query and scores items against it."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.encoders.attributes import AttributeEmbedding
from emkd_tf.encoders.embedding import ItemEmbedding
from emkd_tf.encoders.head import ItemHead
from emkd_tf.encoders.initializers import SCORING
from emkd_tf.kernels.compute import PLAIN, Compute
from emkd_tf.kernels.dropout import Dropout
from emkd_tf.kernels.packing import Packing, clear
from emkd_tf.models.mask_token import with_mask_token
from emkd_tf.special_ids import PAD_ID, mask_id, vocabulary_size


class Tower(tf.keras.layers.Layer):
    """An item embedding, an encoder over it, and the table that scores items.

    The score of an item is query(history) . item_table[item] + item_bias[item]. Tokens
    get position embeddings if the encoder does not know the order by itself, and a
    layer norm if it needs one.

    Args:
        encoder: tokens [T, d] to states [T, d], see `encoders`.
        num_items: V.
        max_length: L, how many items the encoder sees.
        dropout: probability, in [0, 1), in embedding and encoder.
        seed: of the initial weights; towers with different seeds start differently.
        mask_query: the query is the state of a mask token after the history; without
            it, the state of the history's newest item.
        tie_item_embeddings: score items with the input embedding, not separate weights.
        use_item_bias: add a bias to each item's score.
        head: put an `ItemHead` between states and queries.
        initialization: of the tables and of heads that models add, one of INITIALIZERS.
        attributes, scale_embeddings: of the items, see `ItemEmbedding`.
        embedding: instead of the `ItemEmbedding` that these arguments describe.
        compute: how to compute.

    Attributes:
        width: d of queries.
        history_length: how many of the newest items of a history the encoder gets.
    """

    def __init__(
        self,
        encoder: tf.keras.layers.Layer,
        *,
        num_items: int,
        max_length: int,
        dropout: float = 0.0,
        seed: int = 0,
        mask_query: bool = False,
        tie_item_embeddings: bool = True,
        use_item_bias: bool = True,
        head: bool = False,
        initialization: str = "normal",
        attributes: AttributeEmbedding | None = None,
        scale_embeddings: bool = False,
        embedding: tf.keras.layers.Layer | None = None,
        compute: Compute = PLAIN,
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.num_items, self.max_length = num_items, max_length
        self.history_length = max_length - mask_query
        self.width = encoder.hidden_units
        self.compute, self.dropout_rate = compute, dropout
        self.initialization = initialization
        self._mask_query = mask_query
        self.embedding = embedding or ItemEmbedding(
            vocabulary_size(num_items),
            max_length,
            self.width,
            seed,
            norm=encoder.NORMS_EMBEDDING,
            use_positions=not encoder.KNOWS_ORDER,
            initialization=initialization,
            attributes=attributes,
            scale=scale_embeddings,
        )
        self.encoder = encoder
        self.head = ItemHead(self.width, seed, initialization) if head else None
        self.item_weights = (
            None
            if tie_item_embeddings
            else self.add_weight(
                "item_weights",
                [num_items + 1, self.width],
                initializer=SCORING[initialization](seed, "item_weights"),
            )
        )
        self.item_bias = (
            self.add_weight("item_bias", [num_items + 1], initializer="zeros")
            if use_item_bias
            else None
        )

    def encode(
        self,
        item_ids: tf.Tensor,
        dropout_seed: tf.Tensor | None = None,
        last_only: bool = False,
    ) -> tuple[tf.Tensor, Packing]:
        """Encodes sequences.

        Args:
            item_ids: [B, L] int32, left-padded with PAD_ID, at most `max_length` wide.
            dropout_seed: [2] int32, or None for no dropout (inference).
            last_only: compute only the states of the last column.

        Returns:
            States [T, d], one row per item, or [B, d] with `last_only`; and the packing
            that places the rows in [B, L].
        """
        skips = not self.compute.static_shapes
        packing = Packing(item_ids != PAD_ID, skip_padding=skips)
        dropout = Dropout(self.dropout_rate, dropout_seed)
        return self.encode_rows(item_ids, packing, dropout, last_only), packing

    def encode_rows(
        self, item_ids: tf.Tensor, packing: Packing, dropout: Dropout, last_only: bool
    ) -> tf.Tensor:
        """Encodes sequences [B, L] with the given packing of their items; other kinds
        of towers override it. Returns the states of `encode`."""
        tokens = self.embedding(item_ids, packing, dropout)
        return self.encoder(tokens, packing, dropout, last_only=last_only)

    def states(
        self, item_ids: tf.Tensor, dropout_seed: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Encodes sequences like `encode`; returns [B, L, d], zero at padding."""
        states, packing = self.encode(item_ids, dropout_seed)
        return packing.unpack(clear(states, packing.is_row))

    def queries(self, states: tf.Tensor) -> tf.Tensor:
        """Turns states [n, d] into queries for the item table, [n, d]."""
        return states if self.head is None else self.head(states)

    def query(self, item_ids: tf.Tensor) -> tf.Tensor:
        """Encodes histories for a product with the item table.

        Args:
            item_ids: [B, any] int32, left-padded with PAD_ID; the newest
                `history_length` count.

        Returns:
            [B, d] float, finite even for empty histories.
        """
        if self._mask_query:
            rows = with_mask_token(item_ids, mask_id(self.num_items), self.max_length)
        else:
            # A batch of empty histories still needs a column.
            rows = tf.pad(item_ids, [[0, 0], [1, 0]])[:, -self.max_length :]
        return self.queries(self.encode(rows, last_only=True)[0])

    def item_table(self) -> tf.Tensor:
        """Returns [V + 1, d], row i for item i; row 0 is the padding slot."""
        if self.item_weights is not None:
            return tf.convert_to_tensor(self.item_weights)  # a slice would be a copy
        return self.embedding.table(self.num_items + 1)

    def item_rows(self, item_ids: tf.Tensor) -> tf.Tensor:
        """Returns rows of `item_table`: [...] int32 to [..., d]; the gradient reaches
        only these rows."""
        flat = tf.reshape(item_ids, [-1])
        if self.item_weights is not None:
            rows = tf.gather(self.item_weights, flat)
        else:
            rows = self.embedding.rows(flat)
        return tf.reshape(rows, tf.concat([tf.shape(item_ids), [self.width]], axis=0))

    def serving_table(self) -> tf.Variable:
        """Returns `item_table` as a variable for an export; it may have more rows after
        item V."""
        if self.item_weights is not None:
            return self.item_weights
        return self.embedding.table_variable()

    @property
    def parts(self) -> list[tf.keras.layers.Layer]:
        """The layers that turn a history into a query."""
        return [self.embedding, self.encoder]

    @property
    def encoder_variables(self) -> list[tf.Variable]:
        """The weights of `parts`."""
        return [weight for part in self.parts for weight in part.trainable_variables]

    @property
    def serving_variables(self) -> list[tf.Variable]:
        """The weights needed to score items, without heads of other objectives."""
        own = [w for w in (self.item_weights, self.item_bias) if w is not None]
        head = [] if self.head is None else self.head.trainable_variables
        return [*self.encoder_variables, *head, *own]

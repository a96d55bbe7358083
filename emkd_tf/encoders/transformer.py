"""The bidirectional transformer encoder of EMKD."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from emkd_tf.encoders import formulas
from emkd_tf.encoders.dropout import Dropout
from emkd_tf.encoders.embedding import ItemEmbedding
from emkd_tf.encoders.initializers import normal
from emkd_tf.encoders.packing import Packing
from emkd_tf.precision import matmul
from emkd_tf.special_ids import PAD_ID

_FEED_FORWARD_FACTOR = 4


@tf.keras.utils.register_keras_serializable("emkd_tf")
class TransformerBlock(tf.keras.layers.Layer):
    """Pre-norm self-attention over the items, then a feed-forward network.

    Call:
        tokens: [T, d] float; packing: of their places in [B, L]; dropout.
        last_only: compute what the last column needs.
        Returns [T, d], or [B, d] of the last column.

    Source: Du et al. 2023 (encoder); the norm's place and the dropout after the
    block follow the authors' release.
    """

    def __init__(
        self,
        hidden_units: int,
        num_heads: int,
        seed: int,
        precision: str = "float32",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.hidden_units, self.num_heads, self.seed = hidden_units, num_heads, seed
        self.precision = precision

        def dense(name: str, units: int, inputs: int) -> tf.keras.layers.Dense:
            layer = tf.keras.layers.Dense(
                units, kernel_initializer=normal(seed, f"{self.name}/{name}"), name=name
            )
            layer.build([None, inputs])
            return layer

        def norm(name: str) -> tf.keras.layers.LayerNormalization:
            layer = tf.keras.layers.LayerNormalization(
                epsilon=formulas.NORM_EPSILON, name=name
            )
            layer.build([None, hidden_units])
            return layer

        width = _FEED_FORWARD_FACTOR * hidden_units
        self.attention_norm = norm("attention_norm")
        self.query_key_value = dense("query_key_value", 3 * hidden_units, hidden_units)
        self.attention_output = dense("attention_output", hidden_units, hidden_units)
        self.feed_forward_norm = norm("feed_forward_norm")
        self.expand = dense("expand", width, hidden_units)
        self.contract = dense("contract", hidden_units, width)

    def call(
        self,
        tokens: tf.Tensor,
        packing: Packing,
        dropout: Dropout,
        last_only: bool = False,
    ) -> tf.Tensor:
        tokens, product, bias = self._normalize_and_multiply(
            tokens, self.attention_norm, self.query_key_value, dropout
        )
        attended = self._attend(product, bias, packing, dropout, last_only)
        if last_only:
            tokens = packing.last(tokens)
        tokens = self._add_product(
            tokens, attended, self.attention_output, [dropout.next_seed()], dropout.rate
        )
        tokens, product, bias = self._normalize_and_multiply(
            tokens, self.feed_forward_norm, self.expand, dropout
        )
        inner = formulas.activate(product, bias, dropout.next_seed(), rate=dropout.rate)
        seeds = [dropout.next_seed(), dropout.next_seed()]
        return self._add_product(tokens, inner, self.contract, seeds, dropout.rate)

    def _attend(
        self,
        product: tf.Tensor,
        bias: tf.Tensor,
        packing: Packing,
        dropout: Dropout,
        last_only: bool,
    ) -> tf.Tensor:
        query, key, value = formulas.split_heads(
            product, bias, packing, self.num_heads, dtype=self._dtype_of_factors
        )  # each [B, heads, L, d / heads]
        if last_only:
            query = query[:, :, -1:]
        weights = formulas.attention_weights(
            tf.matmul(query, key, transpose_b=True),
            packing.is_item,
            dropout.next_seed(),
            scale=(self.hidden_units // self.num_heads) ** -0.5,
            rate=dropout.rate,
        )
        mixed = tf.matmul(weights, value)
        if last_only:
            return tf.reshape(mixed, [-1, self.hidden_units])
        return packing.from_heads(mixed)

    def _normalize_and_multiply(
        self,
        tokens: tf.Tensor,
        norm: tf.keras.layers.LayerNormalization,
        layer: tf.keras.layers.Dense,
        dropout: Dropout,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns the tokens, the product of their norm and a layer's weights, and the
        bias to be added to it."""
        tokens, standard = formulas.standardize(tokens, dtype=self._dtype_of_factors)
        kernel, bias = layer.kernel, tf.convert_to_tensor(layer.bias)
        if dropout.is_training:
            # The norm's scale and offset go into the weights. Their gradients are then
            # sums over the weights, not over all tokens.
            bias = bias + tf.linalg.matvec(kernel, norm.beta, transpose_a=True)
            kernel = norm.gamma[:, tf.newaxis] * kernel
        else:
            standard = formulas.scale_and_shift(standard, norm.gamma, norm.beta)
        return tokens, matmul(standard, kernel, self.precision), bias

    def _add_product(
        self,
        tokens: tf.Tensor,
        values: tf.Tensor,
        layer: tf.keras.layers.Dense,
        seeds: list[tf.Tensor],
        rate: float,
    ) -> tf.Tensor:
        product = matmul(values, layer.kernel, self.precision)
        return formulas.add_residual(
            tokens,
            product,
            layer.bias,
            tf.stack(seeds),
            rate=rate,
            dtype=self._dtype_of_factors,
        )

    @property
    def _dtype_of_factors(self) -> tf.DType:
        return tf.as_dtype(self.precision)

    def get_config(self) -> dict[str, Any]:
        names = ("hidden_units", "num_heads", "seed", "precision")
        return {**super().get_config(), **{n: getattr(self, n) for n in names}}


@tf.keras.utils.register_keras_serializable("emkd_tf")
class TransformerEncoder(tf.keras.layers.Layer):
    """Embeds items and positions and passes them through transformer blocks.

    Args:
        vocabulary_size: V + 2, rows of the item embedding.
        max_length: L.
        hidden_units: d.
        num_blocks, num_heads: of the transformer.
        dropout: probability, in [0, 1).
        seed: of the initial weights; networks with different seeds start different.
        skip_padding: compute items only; off where shapes must be static (XLA).
        precision: of the blocks' matrix products with weights.

    Call:
        item_ids: [B, L] int32, left-padded with PAD_ID.
        dropout_seed: [2] int32, or None for no dropout (inference).
        last_only: compute the last column's states alone, which must hold no padding.
        Returns [B, L, d] float, zero at padding; with `last_only` [B, d].

    Source: Du et al. 2023 (encoder). Departure: states at padding are zero.
    """

    def __init__(
        self,
        *,
        vocabulary_size: int,
        max_length: int,
        hidden_units: int,
        num_blocks: int,
        num_heads: int,
        dropout: float,
        seed: int,
        skip_padding: bool = True,
        precision: str = "float32",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self._config = {
            "vocabulary_size": vocabulary_size,
            "max_length": max_length,
            "hidden_units": hidden_units,
            "num_blocks": num_blocks,
            "num_heads": num_heads,
            "dropout": dropout,
            "seed": seed,
            "skip_padding": skip_padding,
            "precision": precision,
        }
        self.dropout_rate, self.skip_padding = dropout, skip_padding
        self.hidden_units, self.max_length = hidden_units, max_length
        self.embedding = ItemEmbedding(vocabulary_size, max_length, hidden_units, seed)
        self.blocks = [
            TransformerBlock(
                hidden_units, num_heads, seed, precision, name=f"block_{index}"
            )
            for index in range(num_blocks)
        ]

    def call(
        self,
        item_ids: tf.Tensor,
        dropout_seed: tf.Tensor | None = None,
        last_only: bool = False,
    ) -> tf.Tensor:
        packing = Packing(item_ids != PAD_ID, skip_padding=self.skip_padding)
        dropout = Dropout(self.dropout_rate, dropout_seed)
        tokens = self.embedding(item_ids, packing, dropout)
        for block in self.blocks:
            # Only the last block's other columns are read by nothing.
            is_last = last_only and block is self.blocks[-1]
            tokens = block(tokens, packing, dropout, last_only=is_last)
        if last_only:
            return tokens
        return packing.unpack(formulas.clear(tokens, packing.is_row))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._config}

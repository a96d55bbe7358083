"""The bidirectional transformer encoder of EMKD."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from emkd_tf.encoders.dropout import Dropout, drop
from emkd_tf.encoders.embedding import ItemEmbedding
from emkd_tf.encoders.initializers import normal
from emkd_tf.encoders.packing import Packing, clear_spare
from emkd_tf.fusion import fused
from emkd_tf.precision import matmul
from emkd_tf.special_ids import PAD_ID

_MASKED_LOGIT = -1e9  # finite: a row of padding alone must not become NaN
_NORM_EPSILON = 1e-6
_FEED_FORWARD_FACTOR = 4


@fused
def _layer_norm(tokens: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
    mean = tf.reduce_mean(tokens, axis=-1, keepdims=True)
    centred = tokens - mean
    variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
    return centred * tf.math.rsqrt(variance + _NORM_EPSILON) * scale + offset


@fused
def _add_bias(values: tf.Tensor, bias: tf.Tensor, is_row: tf.Tensor) -> tf.Tensor:
    return clear_spare(values + bias, is_row)


@fused
def _attention_weights(
    logits: tf.Tensor, is_item: tf.Tensor, seed: tf.Tensor, *, scale: float, rate: float
) -> tf.Tensor:
    is_key = is_item[:, tf.newaxis, tf.newaxis, :]
    weights = tf.nn.softmax(tf.where(is_key, logits * scale, _MASKED_LOGIT))
    return drop(weights, seed, rate)


@fused
def _activate(
    values: tf.Tensor, bias: tf.Tensor, seed: tf.Tensor, *, rate: float
) -> tf.Tensor:
    return drop(tf.nn.gelu(values + bias, approximate=True), seed, rate)


@fused
def _add_residual(
    tokens: tf.Tensor,
    values: tf.Tensor,
    bias: tf.Tensor,
    seed: tf.Tensor,
    *,
    rate: float,
) -> tf.Tensor:
    return tokens + drop(values + bias, seed, rate)


@fused
def _add_last_residual(
    tokens: tf.Tensor,
    values: tf.Tensor,
    bias: tf.Tensor,
    seed: tf.Tensor,
    last_seed: tf.Tensor,
    *,
    rate: float,
) -> tf.Tensor:
    return drop(tokens + drop(values + bias, seed, rate), last_seed, rate)


@fused
def _clear(tokens: tf.Tensor, is_row: tf.Tensor) -> tf.Tensor:
    return clear_spare(tokens, is_row)


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
            layer = tf.keras.layers.LayerNormalization(epsilon=_NORM_EPSILON, name=name)
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
        normal = self._normalize(tokens, self.attention_norm)
        attended = self._attend(normal, packing, dropout, last_only)
        if last_only:
            tokens = packing.last(tokens)
        tokens = _add_residual(
            tokens,
            self._multiply(attended, self.attention_output),
            self.attention_output.bias,
            dropout.next_seed(),
            rate=dropout.rate,
        )
        normal = self._normalize(tokens, self.feed_forward_norm)
        inner = _activate(
            self._multiply(normal, self.expand),
            self.expand.bias,
            dropout.next_seed(),
            rate=dropout.rate,
        )
        return _add_last_residual(
            tokens,
            self._multiply(inner, self.contract),
            self.contract.bias,
            dropout.next_seed(),
            dropout.next_seed(),
            rate=dropout.rate,
        )

    def _attend(
        self, tokens: tf.Tensor, packing: Packing, dropout: Dropout, last_only: bool
    ) -> tf.Tensor:
        batch, length = tf.unstack(tf.shape(packing.is_item))
        head_units = self.hidden_units // self.num_heads
        projected = _add_bias(
            self._multiply(tokens, self.query_key_value),
            self.query_key_value.bias,
            packing.is_row,
        )
        projected = tf.reshape(
            packing.unpack(projected), [batch, length, 3, self.num_heads, head_units]
        )
        query, key, value = tf.unstack(
            tf.transpose(projected, [2, 0, 3, 1, 4])
        )  # each [B, heads, L, d / heads]
        if last_only:
            query = query[:, :, -1:]
        weights = _attention_weights(
            tf.matmul(query, key, transpose_b=True),
            packing.is_item,
            dropout.next_seed(),
            scale=head_units**-0.5,
            rate=dropout.rate,
        )
        mixed = tf.transpose(tf.matmul(weights, value), [0, 2, 1, 3])
        if last_only:
            return tf.reshape(mixed, [batch, self.hidden_units])
        return packing.pack(tf.reshape(mixed, [batch, length, self.hidden_units]))

    def _normalize(
        self, tokens: tf.Tensor, norm: tf.keras.layers.LayerNormalization
    ) -> tf.Tensor:
        return _layer_norm(tokens, norm.gamma, norm.beta)

    def _multiply(self, tokens: tf.Tensor, layer: tf.keras.layers.Dense) -> tf.Tensor:
        return matmul(tokens, layer.kernel, self.precision)

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
        return packing.unpack(_clear(tokens, packing.is_row))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._config}

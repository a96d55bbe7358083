"""Multi-head attention between the items of a sequence."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.encoders.layers import Weights
from emkd_tf.kernels import transformer_block
from emkd_tf.kernels.dropout import Dropout
from emkd_tf.kernels.packing import Packing
from emkd_tf.kernels.precision import matmul


class Attention(tf.keras.layers.Layer):
    """softmax(Q W_q (X W_k)^T / sqrt(d / heads)) X W_v, with dropout of the softmax.

    Args:
        hidden_units, num_heads: d, and how many heads share it.
        weights: makes the projections, which have biases.
        is_causal: positions see only themselves and earlier ones instead of all items.
        precision: of the products with weights.

    Call:
        queries: [T, d] float, or [B, d] of the last column with `last_only`.
        sources: [T, d] float, projected to keys and values; packing; dropout.
        Returns the shape of queries in `precision`, without an output projection.

    Source: Vaswani et al. 2017, section 3.2. Departure: none.
    """

    def __init__(
        self,
        hidden_units: int,
        num_heads: int,
        weights: Weights,
        is_causal: bool,
        precision: str,
    ):
        super().__init__(name="attention")
        self.hidden_units, self.num_heads = hidden_units, num_heads
        self.is_causal, self.precision = is_causal, precision
        self.query = weights.dense("query", hidden_units, hidden_units)
        self.key_value = weights.dense("key_value", hidden_units, 2 * hidden_units)

    def call(
        self,
        queries: tf.Tensor,
        sources: tf.Tensor,
        packing: Packing,
        dropout: Dropout,
        last_only: bool = False,
    ) -> tf.Tensor:
        key, value = self._heads(sources, self.key_value, packing, 2)
        if last_only:
            shape = [-1, self.num_heads, 1, self.hidden_units // self.num_heads]
            query = matmul(queries, self.query.kernel, self.precision)
            query += tf.cast(self.query.bias, query.dtype)
            query = tf.reshape(query, shape)
        else:
            (query,) = self._heads(queries, self.query, packing, 1)
        return attend(
            (query, key, value),
            packing,
            dropout,
            hidden_units=self.hidden_units,
            num_heads=self.num_heads,
            is_causal=self.is_causal,
            last_only=last_only,
        )

    def _heads(
        self,
        tokens: tf.Tensor,
        layer: tf.keras.layers.Dense,
        packing: Packing,
        num_parts: int,
    ) -> list[tf.Tensor]:
        product = matmul(tokens, layer.kernel, self.precision)
        return transformer_block.split_heads(
            product,
            tf.convert_to_tensor(layer.bias),
            packing,
            self.num_heads,
            num_parts,
            dtype=tf.as_dtype(self.precision),
        )  # each [B, heads, L, d / heads]


def attend(
    heads: tuple[tf.Tensor, tf.Tensor, tf.Tensor],
    packing: Packing,
    dropout: Dropout,
    *,
    hidden_units: int,
    num_heads: int,
    is_causal: bool,
    last_only: bool,
) -> tf.Tensor:
    """Mixes values by the softmax of queries times keys.

    Args:
        heads: queries, keys and values, each [B, heads, L, d / heads]; with `last_only`
            one query per head.
        packing, dropout: of the batch, and of the softmax.
        hidden_units, num_heads: d, and how many heads share it.
        is_causal: positions see only themselves and earlier ones instead of all items.
        last_only: there are only the queries of the last column, which sees everything.

    Returns:
        [T, d], or [B, d] with `last_only`.
    """
    query, key, value = heads
    weights = transformer_block.attention_weights(
        tf.matmul(query, key, transpose_b=True),
        packing.is_item,
        dropout.next_seed(),
        scale=(hidden_units // num_heads) ** -0.5,
        rate=dropout.rate,
        is_causal=is_causal and not last_only,
    )  # [B, heads, L, L]
    mixed = tf.matmul(weights, value)
    if last_only:
        return tf.reshape(mixed, [-1, hidden_units])
    return packing.from_heads(mixed)

"""The gated causal transformer encoder of LiGR and eSASRec."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from emkd_tf.encoders.attention import Attention
from emkd_tf.encoders.blocks import BlockEncoder
from emkd_tf.encoders.layers import Weights, normalize
from emkd_tf.kernels.dropout import Dropout, drop
from emkd_tf.kernels.fusion import fused
from emkd_tf.kernels.packing import Packing
from emkd_tf.kernels.precision import matmul


class LiGRBlock(tf.keras.layers.Layer):
    """Attention to earlier items, then a feed-forward network, each with a gate.

    h = h + sigmoid(h G_1 + g_1) * dropout(attention(LN(h)) W_o + b_o)
    h = h + sigmoid(h G_2 + g_2) * dropout(FFN(LN(h)))
    with FFN(x) = dropout(silu(x A) * (x B)) C.

    Args: see `LiGREncoder`.

    Call: see `CausalBlock`.

    Source: arXiv 2502.03417 (LiGR), as in arXiv 2508.06450 (eSASRec). Departure: the
    inner width is 4 d on all data; theirs is d on Toys and 2 d on Sports.
    """

    def __init__(
        self,
        hidden_units: int,
        num_heads: int,
        weights: Weights,
        *,
        feed_forward_factor: int,
        precision: str,
    ):
        super().__init__(name=weights.scope)
        self.precision = precision
        inner = feed_forward_factor * hidden_units
        self.attention_norm = weights.norm("attention_norm", hidden_units)
        self.attention = Attention(hidden_units, num_heads, weights, True, precision)
        self.attention_output = weights.dense(
            "attention_output", hidden_units, hidden_units
        )
        self.attention_gate = weights.dense(
            "attention_gate", hidden_units, hidden_units
        )
        self.feed_forward_norm = weights.norm("feed_forward_norm", hidden_units)
        self.swish = weights.dense("swish", hidden_units, inner, use_bias=False)
        self.expand = weights.dense("expand", hidden_units, inner, use_bias=False)
        self.contract = weights.dense("contract", inner, hidden_units, use_bias=False)
        self.feed_forward_gate = weights.dense(
            "feed_forward_gate", hidden_units, hidden_units
        )

    def call(
        self,
        tokens: tf.Tensor,
        packing: Packing,
        dropout: Dropout,
        last_only: bool = False,
    ) -> tf.Tensor:
        sources = normalize(tokens, self.attention_norm)
        queries = sources
        if last_only:
            tokens, queries = packing.last(tokens), packing.last(sources)
        mixed = self.attention(queries, sources, packing, dropout, last_only)
        values = self._product(mixed, self.attention_output)
        tokens = self._gated(tokens, values, self.attention_gate, dropout)

        normed = normalize(tokens, self.feed_forward_norm)
        inner = _swiglu(
            matmul(normed, self.swish.kernel, self.precision),
            matmul(normed, self.expand.kernel, self.precision),
            dropout.next_seed(),
            rate=dropout.rate,
        )
        values = self._product(inner, self.contract)
        return self._gated(tokens, values, self.feed_forward_gate, dropout)

    def _product(self, values: tf.Tensor, layer: tf.keras.layers.Dense) -> tf.Tensor:
        product = tf.cast(matmul(values, layer.kernel, self.precision), tf.float32)
        return product if layer.bias is None else tf.nn.bias_add(product, layer.bias)

    def _gated(
        self,
        tokens: tf.Tensor,
        values: tf.Tensor,
        gate: tf.keras.layers.Dense,
        dropout: Dropout,
    ) -> tf.Tensor:
        return _add_gated(
            tokens,
            values,
            self._product(tokens, gate),
            dropout.next_seed(),
            rate=dropout.rate,
        )


@fused
def _swiglu(
    gate: tf.Tensor, values: tf.Tensor, seed: tf.Tensor, *, rate: float
) -> tf.Tensor:
    """silu(gate) * values, with dropout: two products [T, inner] to the same."""
    gate, factor = (tf.cast(x, tf.float32) for x in (gate, values))
    return tf.cast(drop(gate * tf.sigmoid(gate) * factor, seed, rate), values.dtype)


@fused
def _add_gated(
    tokens: tf.Tensor,
    values: tf.Tensor,
    gate: tf.Tensor,
    seed: tf.Tensor,
    *,
    rate: float,
) -> tf.Tensor:
    """tokens + sigmoid(gate) * values, with dropout of the values; all [T, d]
    float32."""
    return tokens + tf.sigmoid(gate) * drop(values, seed, rate)


@tf.keras.utils.register_keras_serializable("emkd_tf")
class LiGREncoder(BlockEncoder):
    """Passes tokens through gated causal blocks, without a norm at the end.

    Args:
        feed_forward_factor: inner width of the feed-forward network, in d.
        common: of `BlockEncoder`.

    Call: see `BlockEncoder`.

    Source: see `LiGRBlock`.
    """

    IS_CAUSAL = True

    def __init__(self, *, feed_forward_factor: int = 4, **common: Any):
        options = {"feed_forward_factor": feed_forward_factor}
        super().__init__(LiGRBlock, options, **common)

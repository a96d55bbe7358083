"""The causal transformer encoder of SASRec."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from emkd_tf.encoders.attention import Attention
from emkd_tf.encoders.blocks import BlockEncoder
from emkd_tf.encoders.layers import (
    Weights,
    add_product,
    normalize,
    rectify,
)
from emkd_tf.kernels.dropout import Dropout
from emkd_tf.kernels.packing import Packing
from emkd_tf.kernels.precision import matmul


class CausalBlock(tf.keras.layers.Layer):
    """Attention to earlier items, then a feed-forward network d -> d -> d.

    norm "query": q = LN(x); x = q + dropout(attention(q, x, x) W_o);
                   y = LN(x); x = y + dropout(FFN(y))
    norm "pre":    q = LN(x); x = x + dropout(attention(q, q, q) W_o);
                   y = LN(x); x = x + dropout(FFN(y))

    FFN(y) = dropout(relu(y W_1 + b_1)) W_2 + b_2.

    Args: see `CausalEncoder`.

    Call:
        tokens: [T, d] float; packing: of their places in [B, L]; dropout.
        last_only: compute only the last column.
        Returns [T, d], or [B, d] of the last column.

    Source: Kang and McAuley 2018, section 3.2, and the authors' release. Departures:
    an output projection W_o followed by dropout, unless switched off; norms use 1e-6
    instead of 1e-8.
    """

    def __init__(
        self,
        hidden_units: int,
        num_heads: int,
        weights: Weights,
        *,
        norm: str,
        output_projection: bool,
        precision: str,
    ):
        super().__init__(name=weights.scope)
        self.norm, self.precision = norm, precision
        self.attention_norm = weights.norm("attention_norm", hidden_units)
        self.attention = Attention(hidden_units, num_heads, weights, True, precision)
        self.attention_output = (
            weights.dense("attention_output", hidden_units, hidden_units)
            if output_projection
            else None
        )
        self.feed_forward_norm = weights.norm("feed_forward_norm", hidden_units)
        self.inner = weights.dense("inner", hidden_units, hidden_units)
        self.outer = weights.dense("outer", hidden_units, hidden_units)

    def call(
        self,
        tokens: tf.Tensor,
        packing: Packing,
        dropout: Dropout,
        last_only: bool = False,
    ) -> tf.Tensor:
        queries = normalize(tokens, self.attention_norm)
        sources = tokens if self.norm == "query" else queries
        if last_only:
            queries, tokens = packing.last(queries), packing.last(tokens)
        mixed = self.attention(queries, sources, packing, dropout, last_only)
        tokens = self._add(self._residual(tokens, queries), mixed, dropout)

        normed = normalize(tokens, self.feed_forward_norm)
        product = matmul(normed, self.inner.kernel, self.precision)
        values = rectify(
            product, self.inner.bias, dropout.next_seed(), rate=dropout.rate
        )
        return add_product(
            self._residual(tokens, normed), values, self.outer, dropout, self.precision
        )

    def _residual(self, tokens: tf.Tensor, normed: tf.Tensor) -> tf.Tensor:
        return normed if self.norm == "query" else tokens

    def _add(
        self, residual: tf.Tensor, mixed: tf.Tensor, dropout: Dropout
    ) -> tf.Tensor:
        if self.attention_output is None:
            return residual + tf.cast(mixed, residual.dtype)
        return add_product(
            residual, mixed, self.attention_output, dropout, self.precision
        )


@tf.keras.utils.register_keras_serializable("emkd_tf")
class CausalEncoder(BlockEncoder):
    """Passes tokens through causal blocks: a state sees its own item and earlier ones.

    Args:
        norm: form of the block, see `CausalBlock`: "query" or "pre".
        output_projection: off as in the authors' release.
        final_norm: add a layer norm after the last block.
        common: of `BlockEncoder`.

    Call: see `BlockEncoder`.

    Source: Kang and McAuley 2018 (SASRec). Departure: see `CausalBlock`.
    """

    IS_CAUSAL = True

    def __init__(
        self,
        *,
        norm: str = "query",
        output_projection: bool = True,
        final_norm: bool = True,
        **common: Any,
    ):
        options = {"norm": norm, "output_projection": output_projection}
        super().__init__(CausalBlock, options, **common)
        self._config["final_norm"] = final_norm
        self.final_norm = None
        if final_norm:
            weights = Weights("", self._config["seed"])
            self.final_norm = weights.norm("final_norm", self.hidden_units)

    def through_blocks(
        self, tokens: tf.Tensor, packing: Packing, dropout: Dropout, last_only: bool
    ) -> tf.Tensor:
        states = super().through_blocks(tokens, packing, dropout, last_only)
        return states if self.final_norm is None else normalize(states, self.final_norm)

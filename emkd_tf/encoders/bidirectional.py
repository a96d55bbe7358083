"""The bidirectional transformer encoder of EMKD."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from emkd_tf.encoders.attention import attend
from emkd_tf.encoders.blocks import BlockEncoder
from emkd_tf.encoders.layers import Weights
from emkd_tf.kernels import transformer_block
from emkd_tf.kernels.dropout import Dropout
from emkd_tf.kernels.packing import Packing
from emkd_tf.kernels.precision import matmul

_FEED_FORWARD_FACTOR = 4


class TransformerBlock(tf.keras.layers.Layer):
    """Pre-norm self-attention over the items, then a feed-forward network.

    Call:
        tokens: [T, d] float; packing: of their places in [B, L]; dropout.
        last_only: compute only what the last column needs.
        Returns [T, d], or [B, d] of the last column.

    Source: Du et al. 2023 (encoder); the position of the norm and the dropout after the
    block follow the authors' release. Departures: norms divide by the deviation as
    Keras computes it, in the release by the unbiased one plus 1e-6; biases start at 0,
    in the release uniform.
    """

    def __init__(
        self, hidden_units: int, num_heads: int, weights: Weights, *, precision: str
    ):
        super().__init__(name=weights.scope)
        self.hidden_units, self.num_heads = hidden_units, num_heads
        self.precision = precision
        width = _FEED_FORWARD_FACTOR * hidden_units
        self.attention_norm = weights.norm("attention_norm", hidden_units)
        self.query_key_value = weights.dense(
            "query_key_value", hidden_units, 3 * hidden_units
        )
        self.attention_output = weights.dense(
            "attention_output", hidden_units, hidden_units
        )
        self.feed_forward_norm = weights.norm("feed_forward_norm", hidden_units)
        self.expand = weights.dense("expand", hidden_units, width)
        self.contract = weights.dense("contract", width, hidden_units)

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
        inner = transformer_block.activate(
            product, bias, dropout.next_seed(), rate=dropout.rate
        )
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
        query, key, value = transformer_block.split_heads(
            product, bias, packing, self.num_heads, dtype=self._dtype_of_factors
        )  # each [B, heads, L, d / heads]
        if last_only:
            query = query[:, :, -1:]
        return attend(
            (query, key, value),
            packing,
            dropout,
            hidden_units=self.hidden_units,
            num_heads=self.num_heads,
            is_causal=False,
            last_only=last_only,
        )

    def _normalize_and_multiply(
        self,
        tokens: tf.Tensor,
        norm: tf.keras.layers.LayerNormalization,
        layer: tf.keras.layers.Dense,
        dropout: Dropout,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Returns the tokens, the product of the normalized tokens and a layer's
        weights, and the bias to add to it."""
        tokens, standard = transformer_block.standardize(
            tokens, dtype=self._dtype_of_factors
        )
        kernel, bias = layer.kernel, tf.convert_to_tensor(layer.bias)
        if dropout.is_training:
            # The norm's scale and offset are folded into the weights, so that their
            # gradients are sums over the weights, not over all tokens.
            bias = bias + tf.linalg.matvec(kernel, norm.beta, transpose_a=True)
            kernel = norm.gamma[:, tf.newaxis] * kernel
        else:
            standard = transformer_block.scale_and_shift(
                standard, norm.gamma, norm.beta
            )
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
        return transformer_block.add_residual(
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


@tf.keras.utils.register_keras_serializable("emkd_tf")
class BidirectionalEncoder(BlockEncoder):
    """Passes tokens through transformer blocks in which every item sees all others.

    Args:
        common: of `BlockEncoder`.

    Call: see `BlockEncoder`; states at spare rows are meaningless.

    Source: Du et al. 2023 (encoder). Departure: none.
    """

    IS_CAUSAL = False

    def __init__(self, **common: Any):
        super().__init__(TransformerBlock, {}, **common)

    def call(
        self,
        tokens: tf.Tensor,
        packing: Packing,
        dropout: Dropout,
        last_only: bool = False,
    ) -> tf.Tensor:
        return self.through_blocks(tokens, packing, dropout, last_only)

"""The post-norm transformer encoder of BERT, bidirectional or causal."""

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
from emkd_tf.kernels.fusion import fused
from emkd_tf.kernels.packing import Packing
from emkd_tf.kernels.precision import matmul
from emkd_tf.kernels.transformer_block import with_bias

_EPSILON = 1e-12


class PostNormBlock(tf.keras.layers.Layer):
    """Attention, then a feed-forward network, each followed by a layer norm.

    x = LN(x + dropout(attention(x, x, x) W_o)); x = LN(x + dropout(FFN(x)))
    with FFN(x) = gelu(x W_1 + b_1) W_2 + b_2, d -> 4d -> d, gelu by the error function;
    or dropout(relu(x W_1 + b_1)) W_2 + b_2.

    Args: see `PostNormEncoder`.

    Call: see `CausalBlock`.

    Source: Devlin et al. 2019 (BERT); Zhou et al. 2020 (S3-Rec), the authors' release,
    for the constants. Departure: none.
    """

    def __init__(
        self,
        hidden_units: int,
        num_heads: int,
        weights: Weights,
        *,
        is_causal: bool,
        feed_forward_factor: int,
        activation: str,
        epsilon: float,
        precision: str,
    ):
        super().__init__(name=weights.scope)
        self.precision, self.activation = precision, activation
        inner = feed_forward_factor * hidden_units
        self.attention = Attention(
            hidden_units, num_heads, weights, is_causal, precision
        )
        self.attention_output = weights.dense(
            "attention_output", hidden_units, hidden_units
        )
        self.attention_norm = weights.norm("attention_norm", hidden_units, epsilon)
        self.expand = weights.dense("expand", hidden_units, inner)
        self.contract = weights.dense("contract", inner, hidden_units)
        self.feed_forward_norm = weights.norm(
            "feed_forward_norm", hidden_units, epsilon
        )

    def call(
        self,
        tokens: tf.Tensor,
        packing: Packing,
        dropout: Dropout,
        last_only: bool = False,
    ) -> tf.Tensor:
        queries = packing.last(tokens) if last_only else tokens
        mixed = self.attention(queries, tokens, packing, dropout, last_only)
        tokens = add_product(
            queries, mixed, self.attention_output, dropout, self.precision
        )
        tokens = normalize(tokens, self.attention_norm)
        product = matmul(tokens, self.expand.kernel, self.precision)
        values = self._activated(product, dropout)
        tokens = add_product(tokens, values, self.contract, dropout, self.precision)
        return normalize(tokens, self.feed_forward_norm)

    def _activated(self, product: tf.Tensor, dropout: Dropout) -> tf.Tensor:
        if self.activation == "gelu":
            return _gelu(product, self.expand.bias)
        seed = dropout.next_seed()
        return rectify(product, self.expand.bias, seed, rate=dropout.rate)


@fused
def _gelu(product: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """GELU by the error function, of a product [T, inner] and its bias."""
    values = tf.nn.gelu(with_bias(product, bias), approximate=False)
    return tf.cast(values, product.dtype)


@tf.keras.utils.register_keras_serializable("emkd_tf")
class PostNormEncoder(BlockEncoder):
    """Passes tokens through post-norm blocks.

    The embedding must have its own layer norm (`NORMS_EMBEDDING`).

    Args:
        is_causal: a state sees its own item and earlier ones instead of all items.
        feed_forward_factor: inner width of the feed-forward network, in d.
        activation: inside it: "gelu", or "relu" followed by dropout.
        epsilon: of the norms.
        common: of `BlockEncoder`.

    Call: see `BlockEncoder`.

    Source: see `PostNormBlock`.
    """

    IS_CAUSAL, NORMS_EMBEDDING = False, True

    def __init__(
        self,
        *,
        is_causal: bool = False,
        feed_forward_factor: int = 4,
        activation: str = "gelu",
        epsilon: float = _EPSILON,
        **common: Any,
    ):
        options = {
            "is_causal": is_causal,
            "feed_forward_factor": feed_forward_factor,
            "activation": activation,
            "epsilon": epsilon,
        }
        super().__init__(PostNormBlock, options, **common)


@tf.keras.utils.register_keras_serializable("emkd_tf")
class CausalPostNormEncoder(PostNormEncoder):
    """The same with `is_causal`, as most public libraries implement SASRec."""

    IS_CAUSAL = True

    def __init__(self, *, is_causal: bool = True, **kwargs: Any):
        super().__init__(is_causal=is_causal, **kwargs)


@tf.keras.utils.register_keras_serializable("emkd_tf")
class CausalReluEncoder(PostNormEncoder):
    """The same with `is_causal`, ReLU and d -> d -> d, as in MMInfoRec.

    Source: Qiu et al. 2021 (MMInfoRec), the authors' release. Departure: none.
    """

    IS_CAUSAL = True

    def __init__(
        self,
        *,
        is_causal: bool = True,
        feed_forward_factor: int = 1,
        activation: str = "relu",
        epsilon: float = 1e-5,
        **kwargs: Any,
    ):
        super().__init__(
            is_causal=is_causal,
            feed_forward_factor=feed_forward_factor,
            activation=activation,
            epsilon=epsilon,
            **kwargs,
        )

"""What a transformer block computes between its matrix products, one row at a time.

All of it is float32; `dtype` is the number format of the factors of products. These
formulas write the factors and read the products, so that converting costs no pass over
memory of its own.
"""

from __future__ import annotations

import math

import tensorflow as tf

from emkd_tf.kernels.dropout import drop
from emkd_tf.kernels.fusion import fused
from emkd_tf.kernels.packing import Packing, clear_spare

NORM_EPSILON = 1e-6
_GELU_SCALE, _GELU_CUBE = (2.0 / math.pi) ** 0.5, 0.044715
_MASKED_LOGIT = -1e9  # finite: a row of nothing but padding must not become NaN


def standardize(
    tokens: tf.Tensor, *, dtype: tf.DType = tf.float32
) -> tuple[tf.Tensor, tf.Tensor]:
    """Shifts and scales each row to mean 0 and variance 1, as a layer norm does first.

    Args:
        tokens: [T, d] float32.
        dtype: of the standardized rows.

    Returns:
        The tokens, and the standardized rows [T, d]. Callers that go on using both
        should take the tokens from here, so that both gradients meet in one kernel.
    """

    @tf.custom_gradient
    def both(tokens: tf.Tensor):
        standard, inverse_deviation = _standardized(tokens, dtype=dtype)

        def gradient(by_tokens: tf.Tensor, by_standard: tf.Tensor) -> tf.Tensor:
            return _standardized_gradient(
                standard, inverse_deviation, by_tokens, by_standard
            )

        return (tf.identity(tokens), standard), gradient

    return both(tokens)


@fused
def _standardized(tokens: tf.Tensor, *, dtype: tf.DType) -> tuple[tf.Tensor, tf.Tensor]:
    centred = tokens - tf.reduce_mean(tokens, axis=-1, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
    inverse_deviation = tf.math.rsqrt(variance + NORM_EPSILON)
    return tf.cast(centred * inverse_deviation, dtype), inverse_deviation


@fused
def _standardized_gradient(
    standard: tf.Tensor,
    inverse_deviation: tf.Tensor,
    by_tokens: tf.Tensor,
    by_standard: tf.Tensor,
) -> tf.Tensor:
    standard, upstream = (tf.cast(x, tf.float32) for x in (standard, by_standard))
    mean = tf.reduce_mean(upstream, axis=-1, keepdims=True)
    along = tf.reduce_mean(upstream * standard, axis=-1, keepdims=True)
    return by_tokens + inverse_deviation * (upstream - mean - standard * along)


@fused
def scale_and_shift(
    standard: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor
) -> tf.Tensor:
    """The second half of a layer norm: [T, d], [d], [d] to [T, d]."""
    return tf.cast(tf.cast(standard, tf.float32) * scale + offset, standard.dtype)


def with_bias(product: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """Adds a bias [units] to a product [T, units]; returns float32."""
    # TensorFlow fuses this sum into the product if nothing else reads the product.
    return tf.nn.bias_add(tf.cast(product, tf.float32), bias)


def split_heads(
    product: tf.Tensor,
    bias: tf.Tensor,
    packing: Packing,
    num_heads: int,
    num_parts: int = 3,
    *,
    dtype: tf.DType,
) -> list[tf.Tensor]:
    """Adds the bias [parts * d] to a product [T, parts * d] and returns its parts (for
    three: queries, keys and values) as [B, heads, L, d / heads] each. Gradients of
    spare rows are zero."""

    @tf.custom_gradient
    def split(product: tf.Tensor, bias: tf.Tensor):
        def gradient(*upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            parts = [packing.from_heads(x) for x in upstream]
            return _joined(packing.is_row, *parts, dtype=dtype)

        together = _add_bias(product, bias, dtype=dtype)
        return packing.to_heads(together, num_heads, num_parts), gradient

    return split(product, bias)


@fused
def _add_bias(product: tf.Tensor, bias: tf.Tensor, *, dtype: tf.DType) -> tf.Tensor:
    return tf.cast(with_bias(product, bias), dtype)


@fused
def _joined(
    is_row: tf.Tensor, *parts: tf.Tensor, dtype: tf.DType
) -> tuple[tf.Tensor, tf.Tensor]:
    together = tf.concat([tf.cast(x, tf.float32) for x in parts], axis=-1)
    together = clear_spare(together, is_row)
    return tf.cast(together, dtype), tf.reduce_sum(together, axis=0)


@fused
def attention_weights(
    logits: tf.Tensor,
    is_item: tf.Tensor,
    seed: tf.Tensor,
    *,
    scale: float,
    rate: float,
    is_causal: bool = False,
) -> tf.Tensor:
    """Softmax with dropout over the keys that are items [B, L], if causal only over
    those up to the query: [B, heads, L, L] to the same."""
    is_key = is_item[:, tf.newaxis, tf.newaxis, :]
    if is_causal:
        place = tf.range(tf.shape(logits)[-1])
        is_key &= place <= place[:, tf.newaxis]
    scaled = tf.cast(logits, tf.float32) * scale
    weights = tf.nn.softmax(tf.where(is_key, scaled, _MASKED_LOGIT))
    return tf.cast(drop(weights, seed, rate), logits.dtype)


@fused
def activate(
    product: tf.Tensor, bias: tf.Tensor, seed: tf.Tensor, *, rate: float
) -> tf.Tensor:
    """GELU of a product [T, 4d] and its bias, with dropout."""
    values = with_bias(product, bias)
    # Serving drops nothing, and TensorFlow fuses its own GELU into the product.
    values = _gelu(values) if rate else tf.nn.gelu(values, approximate=True)
    return tf.cast(drop(values, seed, rate), product.dtype)


@tf.custom_gradient
def _gelu(x: tf.Tensor):
    """GELU by the hyperbolic tangent, as tf.nn.gelu. Its gradient keeps two tensors as
    wide as any in a block, the gradient of tf.nn.gelu five."""
    tangent = tf.tanh(_GELU_SCALE * (x + _GELU_CUBE * tf.pow(x, 3)))

    def gradient(upstream: tf.Tensor) -> tf.Tensor:
        slope = _GELU_SCALE * (1.0 + 3.0 * _GELU_CUBE * tf.square(x))
        rest = x * (1.0 - tf.square(tangent)) * slope
        return upstream * 0.5 * (1.0 + tangent + rest)

    return 0.5 * x * (1.0 + tangent), gradient


def _add_residual_gradient(
    seeds: tf.Tensor, upstream: tf.Tensor, *, rate: float, dtype: tf.DType
) -> tuple:
    for seed in reversed(tf.unstack(seeds)[1:]):
        upstream = drop(upstream, seed, rate)
    by_values = drop(upstream, seeds[0], rate)
    by_product, by_bias = tf.cast(by_values, dtype), tf.reduce_sum(by_values, axis=0)
    return upstream, by_product, by_bias, None


@fused(gradient=_add_residual_gradient, reads=["seeds"])
def add_residual(
    tokens: tf.Tensor,
    product: tf.Tensor,
    bias: tf.Tensor,
    seeds: tf.Tensor,
    *,
    rate: float,
    dtype: tf.DType,
) -> tf.Tensor:
    """Adds a product and its bias, with dropout, to tokens [T, d] float32.

    Args:
        seeds: [1, 2] int32, of the dropout; a second row adds dropout of the sum.
        dtype: of the product.
    """
    first, *rest = tf.unstack(seeds)
    tokens += drop(with_bias(product, bias), first, rate)
    for seed in rest:
        tokens = drop(tokens, seed, rate)
    return tokens

"""The two layers that all encoders are built from, and functions that apply them."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.encoders.initializers import INITIALIZERS
from emkd_tf.kernels import transformer_block
from emkd_tf.kernels.dropout import Dropout, drop
from emkd_tf.kernels.fusion import fused
from emkd_tf.kernels.precision import matmul


class Weights:
    """Makes the layers of one block; their weights start from a seed and their names.

    Args:
        scope: name of the block.
        seed: of the initial weights.
        initialization: of the matrices, one of `INITIALIZERS`; biases start at 0.
    """

    def __init__(self, scope: str, seed: int, initialization: str = "normal"):
        self.scope, self.seed, self.initialization = scope, seed, initialization

    def initializer(self, name: str) -> tf.keras.initializers.Initializer:
        """Returns the initializer of the matrix with this name."""
        return INITIALIZERS[self.initialization](self.seed, f"{self.scope}/{name}")

    def dense(
        self, name: str, inputs: int, units: int, use_bias: bool = True
    ) -> tf.keras.layers.Dense:
        """Returns a layer with a matrix [inputs, units] and a bias [units]."""
        layer = tf.keras.layers.Dense(
            units,
            use_bias=use_bias,
            kernel_initializer=self.initializer(name),
            name=name,
        )
        layer.build([None, inputs])
        return layer

    def norm(
        self, name: str, width: int, epsilon: float = transformer_block.NORM_EPSILON
    ) -> tf.keras.layers.LayerNormalization:
        """Returns a layer norm with scale [width] and offset [width]."""
        layer = tf.keras.layers.LayerNormalization(epsilon=epsilon, name=name)
        layer.build([None, width])
        return layer


@fused
def layer_norm(
    tokens: tf.Tensor,
    scale: tf.Tensor,
    offset: tf.Tensor,
    *,
    epsilon: float,
) -> tf.Tensor:
    """Returns the layer norm of rows [T, d], with scale and offset [d]."""
    centred = tokens - tf.reduce_mean(tokens, axis=-1, keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), axis=-1, keepdims=True)
    return centred * tf.math.rsqrt(variance + epsilon) * scale + offset


def normalize(tokens: tf.Tensor, norm: tf.keras.layers.LayerNormalization) -> tf.Tensor:
    """Returns the layer norm of each row [T, d]."""
    return layer_norm(tokens, norm.gamma, norm.beta, epsilon=norm.epsilon)


@fused
def rectify(
    product: tf.Tensor, bias: tf.Tensor, seed: tf.Tensor, *, rate: float
) -> tf.Tensor:
    """Returns the ReLU of a product [T, d] plus its bias, with dropout."""
    values = tf.nn.relu(transformer_block.with_bias(product, bias))
    return tf.cast(drop(values, seed, rate), product.dtype)


def add_product(
    residual: tf.Tensor,
    values: tf.Tensor,
    layer: tf.keras.layers.Dense,
    dropout: Dropout,
    precision: str,
) -> tf.Tensor:
    """Returns residual + dropout(values W + b), [T, d] float32."""
    return transformer_block.add_residual(
        residual,
        matmul(values, layer.kernel, precision),
        layer.bias,
        dropout.next_seed()[tf.newaxis],
        rate=dropout.rate,
        dtype=tf.as_dtype(precision),
    )

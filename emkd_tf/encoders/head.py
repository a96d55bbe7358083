"""The layer that BERT puts between states and the item table."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.encoders.layers import Weights, normalize

_EPSILON = 1e-12


class ItemHead(tf.keras.layers.Layer):
    """LN(gelu(x W + b)), d -> d, gelu by the error function.

    Args:
        width: d.
        seed: of the initial weights.
        initialization: of W, one of INITIALIZERS.

    Call:
        states: [n, d] float. Returns [n, d] float.

    Source: Sun et al. 2019 (BERT4Rec), section 3.5; the norm as in Devlin et al. 2019
    (BERT) and the authors' release. Departure: none.
    """

    def __init__(self, width: int, seed: int, initialization: str = "normal"):
        super().__init__(name="head")
        weights = Weights("head", seed, initialization)
        self.transform = weights.dense("transform", width, width)
        self.norm = weights.norm("norm", width, _EPSILON)

    def call(self, states: tf.Tensor) -> tf.Tensor:
        product = tf.matmul(states, self.transform.kernel) + self.transform.bias
        return normalize(tf.nn.gelu(product, approximate=False), self.norm)

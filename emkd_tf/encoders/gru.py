"""The recurrent encoder of GRU4Rec."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from emkd_tf.encoders.layers import Weights
from emkd_tf.kernels.dropout import Dropout
from emkd_tf.kernels.packing import Packing, clear
from emkd_tf.kernels.precision import matmul


@tf.keras.utils.register_keras_serializable("emkd_tf")
class GRUEncoder(tf.keras.layers.Layer):
    """A gated recurrent unit over the items, oldest first, and a projection to d.

    z = sigmoid(x W_z + h U_z); r = sigmoid(x W_r + h U_r)
    h = z * h + (1 - z) * tanh(x W_h + r * (h U_h)); state = h P + p

    Padding comes first and has x = 0; since there are no biases, h stays 0 there.

    Args:
        hidden_units: d.
        recurrent_units: width of h.
        seed: of the initial weights; networks with different seeds start differently.
        initialization: of the matrices, one of INITIALIZERS.
        precision: of the products with W and P; the product with U is float32.

    Call: see `BlockEncoder`; dropout is left to the embedding.

    Source: Hidasi et al. 2016 (GRU4Rec); the unit as in Cho et al. 2014 and Keras'
    GRU(reset_after=True); the projection as in RecBole. Departure: none.
    """

    KNOWS_ORDER, IS_CAUSAL, NORMS_EMBEDDING = True, True, False

    def __init__(
        self,
        *,
        hidden_units: int,
        recurrent_units: int,
        seed: int,
        initialization: str = "xavier",
        precision: str = "float32",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self._config = {
            "hidden_units": hidden_units,
            "recurrent_units": recurrent_units,
            "seed": seed,
            "initialization": initialization,
            "precision": precision,
        }
        self.hidden_units, self.recurrent_units = hidden_units, recurrent_units
        self.precision = precision
        weights = Weights("gru", seed, initialization)
        self.inputs = weights.dense(
            "inputs", hidden_units, 3 * recurrent_units, use_bias=False
        )
        self.recurrent = weights.dense(
            "recurrent", recurrent_units, 3 * recurrent_units, use_bias=False
        )
        self.outputs = weights.dense("outputs", recurrent_units, hidden_units)

    def call(
        self,
        tokens: tf.Tensor,
        packing: Packing,
        dropout: Dropout,
        last_only: bool = False,
    ) -> tf.Tensor:
        inputs = matmul(tokens, self.inputs.kernel, self.precision)
        inputs = clear(tf.cast(inputs, tf.float32), packing.is_row)
        inputs = tf.transpose(packing.unpack(inputs), [1, 0, 2])  # [L, B, 3 units]
        hidden = self._unroll(inputs, last_only)
        if not last_only:
            hidden = packing.pack(tf.transpose(hidden, [1, 0, 2]))
        outputs = matmul(hidden, self.outputs.kernel, self.precision)
        states = tf.nn.bias_add(tf.cast(outputs, tf.float32), self.outputs.bias)
        return states if last_only else clear(states, packing.is_row)

    def _unroll(self, inputs: tf.Tensor, last_only: bool) -> tf.Tensor:
        """Returns h [L, B, units] from x W [L, B, 3 units], or the last [B, units]."""
        kernel = tf.convert_to_tensor(self.recurrent.kernel)
        start = tf.zeros([tf.shape(inputs)[1], self.recurrent_units])
        unroll = tf.foldl if last_only else tf.scan
        return unroll(lambda hidden, x: _step(hidden, x, kernel), inputs, start)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._config}


def _step(hidden: tf.Tensor, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    update, reset, new = tf.split(inputs, 3, axis=-1)
    of_update, of_reset, of_new = tf.split(tf.matmul(hidden, kernel), 3, axis=-1)
    update, reset = tf.sigmoid(update + of_update), tf.sigmoid(reset + of_reset)
    return update * hidden + (1.0 - update) * tf.tanh(new + reset * of_new)

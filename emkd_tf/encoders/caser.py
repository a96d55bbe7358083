"""The convolutional encoder of Caser."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from emkd_tf.encoders.layers import Weights
from emkd_tf.kernels.dropout import Dropout, drop
from emkd_tf.kernels.packing import Packing, clear
from emkd_tf.kernels.precision import matmul


@tf.keras.utils.register_keras_serializable("emkd_tf")
class CaserEncoder(tf.keras.layers.Layer):
    """Convolutions over the last items up to each place, seen as an image [window, d].

    v = X^T F + f: weighted sums over the window
    c_h = max over time of relu(conv(X, F_h) + f_h), heights h = 1 .. window
    state = relu(dropout([v; c_1; ..; c_window]) W + b)

    X holds zeros where the window reaches beyond the history. The model adds the user's
    vector.

    Args:
        hidden_units: d.
        seed: of the initial weights; networks with different seeds start differently.
        window: number of items that a state depends on: its own and those before.
        vertical_filters: columns of F.
        horizontal_filters: columns of each F_h.
        initialization: of the filters and of W, one of INITIALIZERS.
        precision: of the product with W.

    Call: see `BlockEncoder`.

    Source: Tang and Wang 2018, section 3, and the authors' release. Departures: the
    windows of all positions share their items; dropout applies to these too, as before
    every encoder here.
    """

    KNOWS_ORDER, IS_CAUSAL, NORMS_EMBEDDING = True, True, False

    def __init__(
        self,
        *,
        hidden_units: int,
        seed: int,
        window: int = 5,
        vertical_filters: int = 4,
        horizontal_filters: int = 16,
        initialization: str = "xavier",
        precision: str = "float32",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self._config = {
            "hidden_units": hidden_units,
            "seed": seed,
            "window": window,
            "vertical_filters": vertical_filters,
            "horizontal_filters": horizontal_filters,
            "initialization": initialization,
            "precision": precision,
        }
        self.hidden_units, self.window, self.precision = hidden_units, window, precision
        weights = Weights("caser", seed, initialization)
        self.vertical = weights.dense("vertical", window, vertical_filters)
        self.horizontal = []
        for height in range(1, window + 1):
            layer = tf.keras.layers.Conv1D(
                horizontal_filters,
                height,
                kernel_initializer=weights.initializer(f"horizontal_{height}"),
                name=f"horizontal_{height}",
            )
            layer.build([None, window, hidden_units])
            self.horizontal.append(layer)
        width = vertical_filters * hidden_units + horizontal_filters * window
        self.outputs = weights.dense("outputs", width, hidden_units)

    def call(
        self,
        tokens: tf.Tensor,
        packing: Packing,
        dropout: Dropout,
        last_only: bool = False,
    ) -> tf.Tensor:
        windows = self._windows(tokens, packing, last_only)  # [T, window, d]
        sums = tf.matmul(windows, self.vertical.kernel, transpose_a=True)
        sums = tf.nn.bias_add(sums, self.vertical.bias)  # [T, d, filters]
        features = [tf.reshape(sums, [-1, sums.shape[1] * sums.shape[2]])]
        for layer in self.horizontal:
            convolved = tf.nn.conv1d(windows, layer.kernel, 1, "VALID")
            convolved = tf.nn.relu(tf.nn.bias_add(convolved, layer.bias))
            features.append(tf.reduce_max(convolved, axis=1))
        features = drop(tf.concat(features, axis=1), dropout.next_seed(), dropout.rate)
        outputs = matmul(features, self.outputs.kernel, self.precision)
        outputs = tf.nn.bias_add(tf.cast(outputs, tf.float32), self.outputs.bias)
        states = tf.nn.relu(outputs)
        return states if last_only else clear(states, packing.is_row)

    def _windows(
        self, tokens: tf.Tensor, packing: Packing, last_only: bool
    ) -> tf.Tensor:
        """Returns the tokens up to each place, [T, window, d] or [B, window, d]."""
        padded = packing.unpack(clear(tokens, packing.is_row))  # [B, L, d]
        padded = tf.pad(padded, [[0, 0], [self.window - 1, 0], [0, 0]])
        if last_only:
            return padded[:, -self.window :]
        length = tf.shape(padded)[1] - self.window + 1
        shifted = [padded[:, i : i + length] for i in range(self.window)]
        return packing.pack(tf.stack(shifted, axis=2))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._config}

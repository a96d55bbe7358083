"""Optimizers."""

from __future__ import annotations

import tensorflow as tf


@tf.keras.utils.register_keras_serializable("emkd_tf")
class Adam(tf.keras.optimizers.Adam):
    """Keras' Adam, each variable in one kernel.

    Keras updates with ten element-wise operations, which read and write weights,
    gradients and moments ten times; TensorFlow has the same update as one operation.

    Source: Kingma and Ba 2015. Departure: none.
    """

    def update_step(
        self, gradient: tf.Tensor | tf.IndexedSlices, variable: tf.Variable
    ) -> None:
        if self.amsgrad:
            super().update_step(gradient, variable)
            return
        slot = self._index_dict[self._var_key(variable)]
        step = tf.cast(self.iterations + 1, variable.dtype)
        beta_1, beta_2 = (
            tf.cast(beta, variable.dtype) for beta in (self.beta_1, self.beta_2)
        )
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[slot].handle,
            v=self._velocities[slot].handle,
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(self.learning_rate, variable.dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.cast(self.epsilon, variable.dtype),
            grad=tf.convert_to_tensor(gradient),
        )

"""Contrasts predictions with many candidates, several of which may be right."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.kernels.fusion import fused


@fused
def mil_nce_loss(
    logits: tf.Tensor, is_right: tf.Tensor, is_candidate: tf.Tensor
) -> tf.Tensor:
    """-log of the softmax probability of all right candidates together.

    Args:
        logits: [P, C] float, of each prediction with each candidate.
        is_right: [P, C] bool, the candidates that a prediction should find.
        is_candidate: [C] bool, False for columns without a candidate; such a column is
            never right.

    Returns:
        [P] float, in nats; zero where no candidate is right.

    Source: Miech et al. 2020 (MIL-NCE), equation 1; Qiu et al. 2021 (MMInfoRec).
    Departure: sums of exponentials are kept as logarithms, which cannot overflow.
    """
    lowest = logits.dtype.min
    everything = tf.reduce_logsumexp(tf.where(is_candidate, logits, lowest), axis=-1)
    right = tf.reduce_logsumexp(tf.where(is_right, logits, lowest), axis=-1)
    return tf.where(tf.reduce_any(is_right, axis=-1), everything - right, 0.0)

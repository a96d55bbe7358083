"""Losses of one right item against k negatives; each row of logits [P, 1 + k] starts
with the right item's."""

from __future__ import annotations

import tensorflow as tf


def binary_cross_entropy(logits: tf.Tensor) -> tf.Tensor:
    """-log s(z_0) - mean over negatives of log(1 - s(z_j)), s the sigmoid.

    Args:
        logits: [P, 1 + k] float, k >= 1.

    Returns:
        [P] float, in nats.

    Source: Kang and McAuley 2018 (SASRec), equation 6, where k = 1. Departure: the mean
    over k.
    """
    right, wrong = logits[:, 0], logits[:, 1:]
    return tf.nn.softplus(-right) + tf.reduce_mean(tf.nn.softplus(wrong), axis=-1)


def pairwise_ranking(logits: tf.Tensor) -> tf.Tensor:
    """Mean over negatives of -log s(z_0 - z_j): [P, 1 + k] to [P], in nats.

    Source: Rendle et al. 2009 (BPR). Departure: none.
    """
    return tf.reduce_mean(tf.nn.softplus(logits[:, 1:] - logits[:, :1]), axis=-1)


def bounded_pairwise_ranking(logits: tf.Tensor) -> tf.Tensor:
    """Mean over negatives of -log s(s(z_0) - s(z_j)): [P, 1 + k] to [P], in nats.

    The difference of two sigmoids is in (-1, 1): the loss is never below 0.313.

    Source: Zhou et al. 2020 (S3-Rec), the authors' release. Departure: none.
    """
    scores = tf.sigmoid(logits)
    return pairwise_ranking(scores)


def generalized_binary_cross_entropy(
    logits: tf.Tensor, *, num_items: int, calibration: float
) -> tf.Tensor:
    """-beta log s(z_0) - sum over negatives of log(1 - s(z_j)).

    beta = alpha (t (1 - 1 / alpha) + 1 / alpha) with alpha = k / (V - 1).

    Args:
        logits: [P, 1 + k] float.
        num_items: V.
        calibration: t in [0, 1]; 0 is plain binary cross entropy over k negatives.

    Returns:
        [P] float, in nats, a mean over the 1 + k terms.

    Source: Petrov and Macdonald 2023 (gSASRec), equations 8 to 11. Departure: none.
    """
    num_negatives = logits.shape[1] - 1
    alpha = num_negatives / max(num_items - 1, 1)
    beta = alpha * (calibration * (1 - 1 / alpha) + 1 / alpha)
    right = beta * tf.nn.softplus(-logits[:, 0])
    wrong = tf.reduce_sum(tf.nn.softplus(logits[:, 1:]), axis=-1)
    return (right + wrong) / (1 + num_negatives)

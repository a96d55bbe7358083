"""Logit distillation (KD) between the networks of an ensemble."""

from __future__ import annotations

import tensorflow as tf


def distillation_loss(logits: list[tf.Tensor], *, temperature: float) -> tf.Tensor:
    """Lets every network learn from every other: symmetric KL over pairs of networks.

    Over the unordered pairs (a, b) it sums KL(sg(p_b) || p_a) / 2 + KL(sg(p_a) || p_b)
    / 2, with p = softmax(y) and y = logits / temperature; sg stops the gradient at the
    teacher.

    Args:
        logits: N tensors [P, V + 1] float, one row a chosen position.
        temperature: of the softmax, > 0.

    Returns:
        [P] float, in nats, not scaled by temperature^2; zero for one network.

    Source: Du et al. 2023, equation of KD. Departure: none.
    """
    if len(logits) == 1:
        return tf.zeros_like(logits[0][:, 0])
    return _symmetric_divergence(temperature, *logits)


def _symmetric_divergence(temperature: float, *logits: tf.Tensor) -> tf.Tensor:
    # The tensors are as wide as the catalogue, so what counts is how often they are
    # read. A pair's two halves add up to <p_a - p_b, y_a - y_b> / 2: the normalizers of
    # the two softmaxes cancel. Summed over all pairs that is (N * sum_n <p_n, y_n> -
    # <P, Y>) / 2 with P = sum_n p_n and Y = sum_n y_n, and a student's gradient is (N *
    # p_n - P) / (2 t).
    @tf.custom_gradient
    def divergence(*logits: tf.Tensor):
        num_networks = len(logits)
        scaled = [network / temperature for network in logits]
        probabilities = [tf.nn.softmax(network) for network in scaled]
        total = tf.add_n(probabilities)
        own = tf.add_n([_dot(p, y) for p, y in zip(probabilities, scaled, strict=True)])
        loss = 0.5 * (num_networks * own - _dot(total, tf.add_n(scaled)))

        def gradient(upstream: tf.Tensor) -> list[tf.Tensor]:
            factor = (0.5 / temperature) * upstream[:, tf.newaxis]
            return [factor * (num_networks * p - total) for p in probabilities]

        return loss, gradient

    return divergence(*logits)


def _dot(left: tf.Tensor, right: tf.Tensor) -> tf.Tensor:
    """Inner product of each row: [P, V] and [P, V] to [P]."""
    return tf.matmul(left[:, tf.newaxis], right[:, :, tf.newaxis])[:, 0, 0]

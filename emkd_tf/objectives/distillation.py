"""Logit distillation (KD) between the networks of an ensemble."""

from __future__ import annotations

from collections.abc import Sequence

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
    return _symmetric_divergence(*logits, temperature=temperature)


# A pair's two halves add up to <p_a - p_b, y_a - y_b> / 2: the normalizers of the two
# softmaxes cancel. Summed over all pairs that is sum_n <N p_n - P, y_n> / 2 with P =
# sum_n p_n, and a student's gradient is (N p_n - P) / (2 t).
def _symmetric_divergence(*logits: tf.Tensor, temperature: float) -> tf.Tensor:
    @tf.custom_gradient
    def divergence(*logits: tf.Tensor):
        probabilities = [tf.nn.softmax(z * (1.0 / temperature)) for z in logits]
        gaps = gaps_to_the_mean(probabilities, 0.5 / temperature)
        loss = tf.add_n(
            [
                tf.reduce_sum(gap * z, axis=-1)
                for gap, z in zip(gaps, logits, strict=True)
            ]
        )

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
            return tuple(upstream[:, tf.newaxis] * gap for gap in gaps)

        return loss, gradient

    return divergence(*logits)


def gaps_to_the_mean(
    probabilities: Sequence[tf.Tensor], scale: float
) -> list[tf.Tensor]:
    """Returns scale * (N p_n - P) of N softmaxes p_n and their sum P: with `scale` 1 /
    (2 temperature) each network's gradient of KD, whose products with the logits add up
    to KD."""
    total = scale * tf.add_n(probabilities)
    return [(scale * len(probabilities)) * p - total for p in probabilities]

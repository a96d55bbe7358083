"""Logit distillation (KD) between the networks of an ensemble."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.fusion import fused


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


def _symmetric_divergence(*logits: tf.Tensor, temperature: float) -> tf.Tensor:
    # The tensors are as wide as the catalogue, so what counts is how often they are
    # read, and above all exponentiated: once, the probabilities are kept.
    @tf.custom_gradient
    def divergence(*logits: tf.Tensor):
        probabilities = [_softmax(z, temperature=temperature) for z in logits]
        loss = _divergence(*probabilities, *logits, temperature=temperature)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, ...]:
            return _gradients(upstream, *probabilities, temperature=temperature)

        return loss, gradient

    return divergence(*logits)


@fused
def _softmax(logits: tf.Tensor, *, temperature: float) -> tf.Tensor:
    return tf.nn.softmax(logits / temperature)


# A pair's two halves add up to <p_a - p_b, y_a - y_b> / 2: the normalizers of the two
# softmaxes cancel. Summed over all pairs that is sum_n <N p_n - P, y_n> / 2 with P =
# sum_n p_n, and a student's gradient is (N p_n - P) / (2 t).
@fused
def _divergence(*probabilities_and_logits: tf.Tensor, temperature: float) -> tf.Tensor:
    num_networks = len(probabilities_and_logits) // 2
    probabilities = probabilities_and_logits[:num_networks]
    logits = probabilities_and_logits[num_networks:]
    total = tf.add_n(probabilities)
    products = [
        (num_networks * p - total) * z
        for p, z in zip(probabilities, logits, strict=True)
    ]
    return tf.reduce_sum(tf.add_n(products), axis=-1) * (0.5 / temperature)


@fused
def _gradients(
    upstream: tf.Tensor, *probabilities: tf.Tensor, temperature: float
) -> tuple[tf.Tensor, ...]:
    factor = (0.5 / temperature) * upstream[:, tf.newaxis]
    total = tf.add_n(probabilities)
    return tuple(factor * (len(probabilities) * p - total) for p in probabilities)

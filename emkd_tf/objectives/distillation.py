"""Distillation between the networks of an ensemble (KD), and from teachers' lists."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.kernels.softmax import symmetric_divergence


def distillation_loss(logits: list[tf.Tensor], *, temperature: float) -> tf.Tensor:
    """Lets every network learn from every other: symmetric KL over pairs of networks.

    Over the unordered pairs (a, b) it sums KL(sg(p_b) || p_a) / 2 + KL(sg(p_a) || p_b)
    / 2, with p = softmax(y) and y = logits / temperature; sg stops the gradient at the
    teacher.

    Args:
        logits: N tensors [P, V + 1] float, one row per chosen position.
        temperature: of the softmax, > 0.

    Returns:
        [P] float, in nats, not scaled by temperature^2; zero for one network.

    Source: Du et al. 2023, equation of KD. Departure: none.
    """
    if len(logits) == 1:
        return tf.zeros_like(logits[0][:, 0])
    return symmetric_divergence(logits, temperature)


def list_distillation_loss(
    logits: tf.Tensor, scores: tf.Tensor, *, temperature: float
) -> tf.Tensor:
    """Lets a network learn how a teacher weighs the items of its list: KL(q || p), with
    q the softmax of scores / temperature and p that of logits / temperature.

    Args:
        logits: [P, K] float, the network's logits of the items in a teacher's list.
        scores: [P, K] float, the teacher's scores of these items; they get no gradient.
        temperature: of both softmaxes, > 0.

    Returns:
        [P] float, in nats, not scaled by temperature^2.

    Source: Hinton et al. 2015, section 2. Departure: only the teacher's best items
        instead of all.
    """
    teacher = tf.nn.log_softmax(tf.stop_gradient(scores) / temperature)
    student = tf.nn.log_softmax(logits / temperature)
    return tf.reduce_sum(tf.exp(teacher) * (teacher - student), axis=-1)

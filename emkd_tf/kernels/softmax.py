"""Losses of softmaxes over many items, with gradients written by hand."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

_LEAST_PROBABILITY = 1e-30  # below it, rounding spoils the logarithm, or it is -inf


def softmax_cross_entropy(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Returns -log softmax(logits)[label] [P] of logits [P, V + 1] and labels [P].

    Plain twin: tf.nn.sparse_softmax_cross_entropy_with_logits.
    """

    @tf.custom_gradient
    def differentiable(logits: tf.Tensor):
        loss, probabilities = cross_entropy(logits, labels)

        def gradient(upstream: tf.Tensor) -> tf.Tensor:
            rows = tf.range(tf.shape(labels)[0])
            return tf.tensor_scatter_nd_sub(
                upstream[:, tf.newaxis] * probabilities,
                tf.stack([rows, labels], axis=1),
                upstream,
            )

        return loss, gradient

    return differentiable(logits)


def cross_entropy(logits: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the cross entropy [P] of logits [P, V + 1] and their softmax; the softmax
    minus 1 at the label is the gradient."""
    # Like TensorFlow's own, but from oneDNN's softmax, which takes half the time.
    probabilities = tf.nn.softmax(logits)
    of_labels = tf.gather(probabilities, labels, batch_dims=1)

    def by_normalizer() -> tf.Tensor:
        normalizer = tf.reduce_max(logits, axis=-1) - tf.math.log(
            tf.reduce_max(probabilities, axis=-1)
        )
        return normalizer - tf.gather(logits, labels, batch_dims=1)

    # Only labels whose probability is nearly zero need all logits read once more.
    loss = tf.cond(
        tf.reduce_min(of_labels) > _LEAST_PROBABILITY,
        lambda: -tf.math.log(of_labels),
        by_normalizer,
    )
    return loss, probabilities


def symmetric_divergence(logits: Sequence[tf.Tensor], temperature: float) -> tf.Tensor:
    """Returns [P], the sum over pairs (a, b) of KL(sg(p_b) || p_a) / 2 + KL(sg(p_a) ||
    p_b) / 2 for N logits [P, V + 1], with p = softmax(y) and y = logits / temperature.

    The two halves of a pair add up to <p_a - p_b, y_a - y_b> / 2: the normalizers of
    the two softmaxes cancel. Over all pairs this sums to sum_n <N p_n - P, y_n> / 2
    with P = sum_n p_n, and a student's gradient is (N p_n - P) / (2 t).
    """

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
    """Returns scale * (N p_n - P) for N softmaxes p_n and their sum P. With `scale` 1 /
    (2 temperature) this is each network's gradient of KD, and its products with the
    logits add up to KD."""
    total = scale * tf.add_n(probabilities)
    return [(scale * len(probabilities)) * p - total for p in probabilities]

"""KD against numpy, and that its teachers learn nothing."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.objectives.distillation import (
    distillation_loss,
    list_distillation_loss,
)


def softmax(logits):
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def kl(p, q):
    return (p * (np.log(p) - np.log(q))).sum(-1)


def networks(number, positions, width, scale=2.0):
    rng = np.random.default_rng(number * width)
    return [rng.normal(size=(positions, width)) * scale for _ in range(number)]


def as_tensors(logits):
    return [tf.constant(network, tf.float32) for network in logits]


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
@pytest.mark.parametrize(
    ("number", "positions", "width"), [(2, 1, 2), (3, 6, 11), (4, 9, 50)]
)
def test_equals_the_mean_of_both_divergences_of_every_pair(
    number, positions, width, temperature
):
    logits = networks(number, positions, width)
    probabilities = [softmax(network / temperature) for network in logits]
    expected = sum(
        0.5 * kl(b, a) + 0.5 * kl(a, b)
        for a, b in itertools.combinations(probabilities, 2)
    )
    loss = distillation_loss(as_tensors(logits), temperature=temperature)
    np.testing.assert_allclose(loss, expected, rtol=1e-4, atol=1e-5)


def test_the_gradient_stops_at_the_teacher():
    """A student gets the gradient of KL(teacher || student) / 2 and no more."""
    temperature = 0.7
    logits = networks(3, 5, 7)
    tensors = as_tensors(logits)
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        loss = distillation_loss(tensors, temperature=temperature)
    gradients = tape.gradient(loss, tensors)
    probabilities = [softmax(network / temperature) for network in logits]
    for student, own in enumerate(probabilities):
        others = [p for n, p in enumerate(probabilities) if n != student]
        # As a teacher too, the gradient would also have the terms of log p.
        expected = sum(own - teacher for teacher in others) / (2 * temperature)
        np.testing.assert_allclose(gradients[student], expected, atol=1e-5)


def test_the_gradient_carries_the_weight_of_each_position():
    tensors = as_tensors(networks(2, 3, 4))
    weights = tf.constant([0.0, 1.0, 2.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(tensors)
        plain = distillation_loss(tensors, temperature=1.0)
        weighted = weights * distillation_loss(tensors, temperature=1.0)
    expected = weights[:, tf.newaxis] * tape.gradient(plain, tensors[0])
    np.testing.assert_allclose(tape.gradient(weighted, tensors[0]), expected)


def test_equal_networks_have_nothing_to_learn_and_one_network_no_teacher():
    same = as_tensors(networks(1, 4, 6)) * 3
    np.testing.assert_allclose(distillation_loss(same, temperature=1.0), 0, atol=1e-5)
    np.testing.assert_array_equal(distillation_loss(same[:1], temperature=1.0), 0)


def test_no_positions_and_sharp_distributions_are_finite():
    assert distillation_loss([tf.zeros([0, 3])] * 2, temperature=1.0).shape == (0,)
    sharp = as_tensors(networks(2, 4, 6, scale=50.0))
    assert np.isfinite(distillation_loss(sharp, temperature=0.02)).all()


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_lists_are_learned_by_their_divergence_and_its_gradient(temperature):
    student, teacher = networks(2, 6, 5)
    q, p = softmax(teacher / temperature), softmax(student / temperature)
    logits, scores = as_tensors([student, teacher])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([logits, scores])
        loss = list_distillation_loss(logits, scores, temperature=temperature)
    np.testing.assert_allclose(loss, kl(q, p), rtol=1e-4)
    gradient = tape.gradient(loss, logits)
    np.testing.assert_allclose(gradient, (p - q) / temperature, rtol=1e-3, atol=1e-6)
    assert tape.gradient(loss, scores) is None


def test_a_student_that_agrees_has_nothing_to_lose():
    (scores,) = as_tensors(networks(1, 4, 7))
    loss = list_distillation_loss(scores + 3.0, scores, temperature=2.0)
    np.testing.assert_allclose(loss, np.zeros(4), atol=1e-6)

"""Hand-written gradients of softmax losses against TensorFlow's own and numpy."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.kernels.softmax import (
    cross_entropy,
    gaps_to_the_mean,
    softmax_cross_entropy,
    symmetric_divergence,
)

P, WIDTH = 7, 11


def logits_of(seed=0, scale=3.0):
    values = np.random.default_rng(seed).normal(size=(P, WIDTH)) * scale
    return tf.constant(values, tf.float32)


def softmax(z):
    z = np.exp(z - z.max(-1, keepdims=True))
    return z / z.sum(-1, keepdims=True)


def with_gradients(function, *sources):
    """Values [P] of a function, and gradients of their sum with uneven weights."""
    with tf.GradientTape() as tape:
        tape.watch(sources)
        values = function(*sources)
        weighted = tf.reduce_sum(values * tf.linspace(-1.0, 2.0, P))
    return values, tape.gradient(weighted, sources)


@pytest.mark.parametrize("is_far", [False, True])
def test_cross_entropy_equals_tensorflow(is_far):
    """Also where a label's probability is too small for a float."""
    logits, labels = logits_of(), tf.constant([0, 10, 3, 3, 5, 7, 1])
    if is_far:
        logits += tf.one_hot([2], WIDTH) * 500.0

    def plain(z):
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, z)

    found, gradients = with_gradients(
        lambda z: softmax_cross_entropy(z, labels), logits
    )
    expected, expected_gradients = with_gradients(plain, logits)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(gradients[0], expected_gradients[0], atol=1e-6)


def test_cross_entropy_gives_the_softmax_as_well():
    logits, labels = logits_of(), np.arange(P)
    loss, probabilities = cross_entropy(logits, tf.constant(labels, tf.int32))
    expected = softmax(logits.numpy().astype(float))
    np.testing.assert_allclose(probabilities, expected, rtol=1e-5)
    np.testing.assert_allclose(
        loss, -np.log(expected[np.arange(P), labels]), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("temperature", [0.3, 1.0])
@pytest.mark.parametrize("num_networks", [2, 3])
def test_divergence_equals_the_definition(num_networks, temperature):
    sources = [logits_of(seed, scale=1.0) for seed in range(num_networks)]

    def plain(*logits):
        logs = [tf.nn.log_softmax(z / temperature) for z in logits]
        found = tf.zeros(P)
        for student, teacher in itertools.permutations(logs, 2):
            teacher = tf.stop_gradient(teacher)
            terms = tf.exp(teacher) * (teacher - student)
            found += 0.5 * tf.reduce_sum(terms, axis=-1)
        return found

    found, gradients = with_gradients(
        lambda *z: symmetric_divergence(z, temperature), *sources
    )
    expected, expected_gradients = with_gradients(plain, *sources)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    for one, other in zip(gradients, expected_gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_divergence_of_equals_is_zero():
    logits = logits_of()
    found, gradients = with_gradients(
        lambda *z: symmetric_divergence(z, 0.3), logits, logits
    )
    np.testing.assert_allclose(found, np.zeros(P), atol=1e-5)
    np.testing.assert_allclose(gradients, np.zeros([2, P, WIDTH]), atol=1e-6)


def test_gaps_to_the_mean():
    each = [softmax(logits_of(seed).numpy()) for seed in range(3)]
    found = gaps_to_the_mean([tf.constant(p) for p in each], 0.7)
    for p, gap in zip(each, found, strict=True):
        expected = 0.7 * 3 * (p - np.mean(each, axis=0))
        np.testing.assert_allclose(gap, expected, atol=1e-6)
    np.testing.assert_allclose(np.sum(found, axis=0), np.zeros([P, WIDTH]), atol=1e-6)

"""Losses of a right item and k negatives against numpy."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.objectives.negatives import (
    binary_cross_entropy,
    bounded_pairwise_ranking,
    generalized_binary_cross_entropy,
    pairwise_ranking,
)

P = 6


def logits_of(k):
    return np.random.default_rng(k).normal(size=(P, 1 + k)) * 3


def log_sigmoid(z):
    return np.log(1 / (1 + np.exp(-z)))


@pytest.mark.parametrize("k", [1, 2, 9])
def test_binary_cross_entropy(k):
    z = logits_of(k)
    expected = [
        -log_sigmoid(row[0]) - np.mean([log_sigmoid(-x) for x in row[1:]]) for row in z
    ]
    np.testing.assert_allclose(
        binary_cross_entropy(tf.constant(z)), expected, rtol=1e-6
    )


def test_one_negative_is_the_loss_of_sasrec():
    """-[log s(r_right) + log(1 - s(r_wrong))] of 2 and -1, by hand."""
    found = binary_cross_entropy(tf.constant([[2.0, -1.0]]))
    expected = -np.log(0.8807970779778823) - np.log(1 - 0.2689414213699951)
    np.testing.assert_allclose(found, [expected], rtol=1e-6)


@pytest.mark.parametrize("k", [1, 2, 9])
def test_pairwise_ranking(k):
    z = logits_of(k)
    expected = [-np.mean([log_sigmoid(row[0] - x) for x in row[1:]]) for row in z]
    np.testing.assert_allclose(pairwise_ranking(tf.constant(z)), expected, rtol=1e-6)


def test_bounded_pairwise_ranking_compares_sigmoids():
    z = logits_of(3) * 4
    scores = 1 / (1 + np.exp(-z))
    differences = scores[:, :1] - scores[:, 1:]
    assert (np.abs(differences) < 1).all()
    expected = -log_sigmoid(differences).mean(axis=1)
    found = bounded_pairwise_ranking(tf.constant(z))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    # However far apart the logits are, the difference is in (-1, 1).
    far = bounded_pairwise_ranking(tf.constant([[90.0, -90.0], [-90.0, 90.0]]))
    np.testing.assert_allclose(far, -log_sigmoid(np.array([1, -1])), rtol=1e-6)


@pytest.mark.parametrize("calibration", [0.0, 0.75, 1.0])
@pytest.mark.parametrize("k", [1, 4])
def test_generalized_binary_cross_entropy(k, calibration):
    """s(z)^beta as the probability of the right item, as in the paper."""
    z, num_items = logits_of(k), 21
    alpha = k / (num_items - 1)
    beta = alpha * (calibration * (1 - 1 / alpha) + 1 / alpha)
    right = np.log((1 / (1 + np.exp(-z[:, 0]))) ** beta)
    wrong = log_sigmoid(-z[:, 1:]).sum(-1)
    found = generalized_binary_cross_entropy(
        tf.constant(z), num_items=num_items, calibration=calibration
    )
    np.testing.assert_allclose(found, -(right + wrong) / (1 + k), rtol=1e-6)


def test_without_calibration_it_is_plain_binary_cross_entropy():
    z = logits_of(5)
    found = generalized_binary_cross_entropy(
        tf.constant(z), num_items=100, calibration=0.0
    )
    is_right = tf.constant([[1.0] + [0.0] * 5] * P, tf.float64)
    plain = tf.nn.sigmoid_cross_entropy_with_logits(is_right, tf.constant(z))
    np.testing.assert_allclose(found, tf.reduce_mean(plain, axis=1), rtol=1e-6)


def test_full_calibration_makes_negatives_weigh_as_if_all_were_drawn():
    """beta is the sampling rate k / (V - 1)."""
    z = logits_of(4)
    found = generalized_binary_cross_entropy(
        tf.constant(z), num_items=41, calibration=1.0
    )
    expected = -0.1 * log_sigmoid(z[:, 0]) - log_sigmoid(-z[:, 1:]).sum(-1)
    np.testing.assert_allclose(found, expected / 5, rtol=1e-6)


@pytest.mark.parametrize("loss", [binary_cross_entropy, pairwise_ranking])
def test_large_logits_stay_finite(loss):
    logits = tf.constant([[-1e4, 1e4], [1e4, -1e4]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        values = loss(logits)
    assert np.isfinite(values).all()
    assert np.isfinite(tape.gradient(values, logits)).all()

"""MIL-NCE against loops in numpy and the cross entropy."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.objectives.mil_nce import mil_nce_loss

P, C = 6, 9


def make(seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(P, C)) * scale
    is_candidate = rng.random(C) < 0.8
    is_right = (rng.random((P, C)) < 0.4) & is_candidate
    is_right[2] = False
    return logits, is_right, is_candidate


def loss_of(logits, is_right, is_candidate):
    logits = tf.constant(logits, tf.float32)
    return mil_nce_loss(logits, tf.constant(is_right), tf.constant(is_candidate))


@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_equals_numpy(scale):
    logits, is_right, is_candidate = make(scale=scale)
    expected = []
    for row, right in zip(logits, is_right, strict=True):
        everything = sum(np.exp(z) for z, c in zip(row, is_candidate, strict=True) if c)
        found = sum(np.exp(z) for z, c in zip(row, right, strict=True) if c)
        expected.append(np.log(everything / found) if found else 0.0)
    loss = loss_of(logits, is_right, is_candidate)
    np.testing.assert_allclose(loss, expected, rtol=1e-4, atol=1e-5)
    assert loss[2] == 0.0


def test_one_right_candidate_each_is_the_cross_entropy():
    logits, _, _ = make()
    labels = np.array([0, 3, 8, 8, 1, 2])
    is_right = labels[:, np.newaxis] == np.arange(C)
    expected = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    loss = loss_of(logits, is_right, np.ones(C, bool))
    np.testing.assert_allclose(loss, expected, rtol=1e-5, atol=1e-6)


def test_copies_of_all_candidates_change_nothing():
    arguments = make()
    copied = [np.concatenate([x, x, x], axis=-1) for x in arguments]
    np.testing.assert_allclose(loss_of(*copied), loss_of(*arguments), rtol=1e-4)


def test_large_logits_and_rows_without_a_right_one_are_finite():
    logits, is_right, is_candidate = make(scale=1e4)
    logits = tf.constant(logits, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = mil_nce_loss(logits, is_right, is_candidate)
    gradient = tape.gradient(loss, logits).numpy()
    assert np.isfinite(loss).all()
    assert np.isfinite(gradient).all()
    assert not gradient[2].any()
    assert not gradient[:, ~is_candidate].any()

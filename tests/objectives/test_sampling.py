"""Estimates from candidates, by hand and against the sums over all items."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.objectives.distillation import distillation_loss
from emkd_tf.objectives.masked_item import masked_item_loss
from emkd_tf.objectives.sampling import sampling_offsets

V, P, N = 40, 6, 3
RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(N, P, V)) * 2  # column i is item i + 1
LABELS = RNG.integers(1, V + 1, size=P)
TEMPERATURE = 0.7


def of_candidates(logits, candidates):
    """[P, 1 + S]: the label's logit, then the candidates'."""
    own = logits[np.arange(P), LABELS - 1]
    return np.concatenate([own[:, None], logits[:, candidates - 1]], 1)


def losses(candidates, expected):
    """Cross entropy of the first network and distillation of all, [P] each."""
    offsets = sampling_offsets(
        tf.constant(LABELS, tf.int32),
        tf.constant(candidates, tf.int32),
        tf.constant(np.log(expected)),
    )
    logits = [tf.constant(of_candidates(z, candidates)) for z in LOGITS]
    softer = [z - TEMPERATURE * offsets for z in logits]
    return (
        masked_item_loss(logits[0] - offsets, tf.zeros(P, tf.int32)).numpy(),
        distillation_loss(softer, temperature=TEMPERATURE).numpy(),
    )


def log_softmax(z):
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def full_losses():
    masked_item = -log_softmax(LOGITS[0])[np.arange(P), LABELS - 1]
    logs = log_softmax(LOGITS / TEMPERATURE)
    distillation = sum(
        0.5 * ((np.exp(a) - np.exp(b)) * (a - b)).sum(-1)
        for a, b in itertools.combinations(logs, 2)
    )
    return masked_item, distillation


def test_by_hand():
    """Two candidates expected 1/2 and 4 times, the label among them once."""
    offsets = sampling_offsets(
        tf.constant([7, 9]), tf.constant([7, 3]), tf.math.log([0.5, 4.0])
    )
    z = tf.math.log([[2.0, 2.0, 6.0], [5.0, 1.0, 6.0]])
    loss = masked_item_loss(z - offsets, tf.zeros(2, tf.int32))
    # Row 0: item 7 is the label, so only 6 / 4 is added to its 2.
    expected = [np.log((2 + 6 / 4) / 2), np.log((5 + 1 / 0.5 + 6 / 4) / 5)]
    np.testing.assert_allclose(loss, expected, rtol=1e-6)


def test_every_item_as_a_candidate_gives_the_sums_over_all_items():
    found = losses(RNG.permutation(V) + 1, np.ones(V))
    for of_candidates_, of_all in zip(found, full_losses(), strict=True):
        np.testing.assert_allclose(of_candidates_, of_all, rtol=1e-9)


@pytest.mark.parametrize("exponent", [0.0, 1.0])
def test_the_normalizer_is_unbiased_and_the_losses_converge(exponent):
    share = RNG.integers(1, 50, size=V) ** exponent
    share = share / share.sum()
    full = full_losses()
    errors = {}
    for num_sampled in (10, 1000):
        found = []
        for _ in range(400):
            candidates = RNG.choice(V, size=num_sampled, p=share) + 1
            found.append(losses(candidates, num_sampled * share[candidates - 1]))
        masked_item, distillation = np.array(found).transpose(1, 0, 2)
        # The normalizer over that of all items; its error is six standard errors.
        ratio = np.exp(masked_item - full[0])
        bound = 6 * ratio.std(0) / 400**0.5
        assert (np.abs(ratio.mean(0) - 1) < bound).all()
        errors[num_sampled] = [
            np.abs(np.mean(found - of_all)) / np.mean(of_all)
            for found, of_all in zip((masked_item, distillation), full, strict=True)
        ]
    for few, many in zip(errors[10], errors[1000], strict=True):
        assert many < 0.01 < few


def test_gradients_are_finite_where_all_candidates_are_the_label():
    z = tf.Variable([[1.0, 1.0, 1.0]])
    offsets = sampling_offsets(tf.constant([4]), tf.constant([4, 4]), tf.zeros(2))
    with tf.GradientTape() as tape:
        loss = masked_item_loss(z - offsets, tf.zeros(1, tf.int32))
        loss += distillation_loss([z - offsets, 2 * z - offsets], temperature=0.3)
    np.testing.assert_allclose(loss, [0.0], atol=1e-6)
    np.testing.assert_allclose(tape.gradient(loss, z), [[0.0, 0.0, 0.0]], atol=1e-6)

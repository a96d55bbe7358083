"""Agreement and cross entropy against numpy and SciPy."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, softmax
from scipy.stats import entropy

from emkd_tf.board.probe import Probe, divergence, overlap
from emkd_tf.training.run_model import open_run

RNG = np.random.default_rng(0)
ONE, TWO = RNG.normal(size=(2, 7, 12)).astype(np.float32) * 3


def test_divergence_is_the_mean_of_both_directions():
    p, q = softmax(ONE, axis=1), softmax(TWO, axis=1)
    expected = (entropy(p, q, axis=1) + entropy(q, p, axis=1)).mean() / 2
    assert float(divergence(ONE, TWO)) == pytest.approx(expected, rel=1e-5)
    assert float(divergence(ONE, ONE + 4.0)) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("k", [1, 5, 99])
def test_overlap_counts_common_items(k):
    pairs = zip(np.argsort(-ONE), np.argsort(-TWO), strict=True)
    most = min(k, ONE.shape[1])
    shares = [len({*a[:most]} & {*b[:most]}) / most for a, b in pairs]
    found = float(overlap(tf.constant(ONE), tf.constant(TWO), k))
    assert found == pytest.approx(np.mean(shares))


@pytest.mark.slow
def test_a_run_and_its_networks(finished_run):
    _, histories, model = open_run(finished_run[0])
    found = Probe(histories, model.history_length).measure(model)
    users = histories.evaluated("validation")
    item_ids = histories.before_target("validation", users, model.history_length)
    rows = np.arange(len(users)), histories.targets("validation") - 1
    scores = {}
    for number in (0, 1):
        alone = model.ensemble.alone(number + 1)
        vectors = alone.user_vectors(tf.constant(item_ids))
        scores[f"network_{number + 1}"] = (
            vectors @ alone.item_vectors().numpy().T
        ).numpy()
    scores["validation"] = model.score_items(tf.constant(item_ids)).numpy()
    for name, of_name in scores.items():
        expected = -log_softmax(of_name, axis=1)[rows].mean()
        assert found[f"{name}/cross_entropy"] == pytest.approx(expected, rel=1e-4)
    both = scores["network_1"], scores["network_2"]
    assert found["divergence/1-2"] == pytest.approx(float(divergence(*both)), rel=1e-3)
    assert 0.0 <= found["overlap/1-2"] <= 1.0
    assert len(found) == 5

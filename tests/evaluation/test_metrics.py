"""Metrics by hand and against plain loops."""

import doctest

import numpy as np
import pytest

from emkd_tf.evaluation import metrics


def test_examples_of_the_docstrings():
    result = doctest.testmod(metrics)
    assert result.attempted >= 4
    assert result.failed == 0


@pytest.mark.parametrize("k", [1, 5, 10, 20])
def test_equal_loops_over_users(k):
    ranks = np.random.default_rng(k).integers(1, 40, size=200)
    hits = [1 if rank <= k else 0 for rank in ranks]
    ranks[:3] = metrics.NEVER  # excluded: within no cutoff, and worth nothing
    hits[:3] = [0, 0, 0]
    gains = [1 / np.log2(rank + 1) if rank <= k else 0 for rank in ranks]
    found = metrics.summarize(ranks, [f"HR@{k}", f"NDCG@{k}", "MRR"])
    assert found[f"HR@{k}"] == pytest.approx(sum(hits) / 200)
    assert found[f"NDCG@{k}"] == pytest.approx(sum(gains) / 200)
    assert found["MRR"] == pytest.approx(sum(1 / r for r in ranks[3:]) / 200)
    assert metrics.summarize(ranks[:3])["MRR"] == 0


def test_summary_has_every_metric():
    summary = metrics.summarize(np.array([1, 7, 15, 100]))
    names = ("HR@5", "HR@10", "HR@20", "NDCG@5", "NDCG@10", "NDCG@20", "MRR")
    assert tuple(summary) == metrics.METRICS == names
    assert (summary["HR@5"], summary["HR@10"], summary["HR@20"]) == (0.25, 0.5, 0.75)


def test_an_excluded_target_adds_nothing():
    ranks = np.array([1, metrics.NEVER], np.int32)
    for metric in metrics.METRICS:
        np.testing.assert_array_equal(metrics.user_values(ranks, metric), [1.0, 0.0])
    assert metrics.user_values(np.array([metrics.NEVER + 5]), "MRR") == 0.0

"""Metrics by hand and against plain loops."""

import doctest

import numpy as np
import pytest

from emkd_tf.evaluation import metrics


def test_examples_of_the_docstrings():
    result = doctest.testmod(metrics)
    assert result.attempted >= 3
    assert result.failed == 0


@pytest.mark.parametrize("k", [1, 5, 10, 20])
def test_equal_loops_over_users(k):
    ranks = np.random.default_rng(k).integers(1, 40, size=200)
    hits = [1 if rank <= k else 0 for rank in ranks]
    ranks[:3] = metrics.NEVER  # excluded: within no cutoff, and worth nothing
    hits[:3] = [0, 0, 0]
    gains = [1 / np.log2(rank + 1) if rank <= k else 0 for rank in ranks]
    assert metrics.hit_rate(ranks, k) == pytest.approx(sum(hits) / 200)
    assert metrics.ndcg(ranks, k) == pytest.approx(sum(gains) / 200)
    assert metrics.mrr(ranks) == pytest.approx(sum(1 / r for r in ranks[3:]) / 200)
    assert metrics.mrr(ranks[:3]) == 0


def test_summary_has_every_metric():
    summary = metrics.summarize(np.array([1, 7, 15, 100]))
    assert list(summary) == [
        *("HR@5", "HR@10", "HR@20", "NDCG@5", "NDCG@10", "NDCG@20", "MRR")
    ]
    assert (summary["HR@5"], summary["HR@10"], summary["HR@20"]) == (0.25, 0.5, 0.75)

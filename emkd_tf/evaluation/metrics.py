"""Ranking metrics from the rank of each user's only target; all users count equally."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

CUTOFFS = (5, 10, 20)
SELECTION_METRIC = "NDCG@10"  # on the validation split, selects models
# Rank of a target that the protocol excludes, as if it came after everything: outside
# every cutoff, and worth nothing to MRR.
NEVER = int(np.iinfo(np.int32).max)


METRICS = (
    *(f"HR@{k}" for k in CUTOFFS),
    *(f"NDCG@{k}" for k in CUTOFFS),
    "MRR",
)
_GAINS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "HR": np.ones_like,
    "NDCG": lambda ranks: 1.0 / np.log2(ranks + 1.0),
    "MRR": lambda ranks: 1.0 / ranks,
}


def user_values(ranks: np.ndarray, metric: str) -> np.ndarray:
    """Returns each user's contribution to a metric, which is their mean: for HR@k 1 if
    the target is among the first k, for NDCG@k 1 / log2(rank + 1) within the first k,
    for MRR the reciprocal rank, over the whole ranking.

    Args:
        ranks: [users] int, from 1; NEVER or more contributes nothing to any metric.
        metric: one of METRICS, or with another k.

    Returns:
        [users] float64 in [0, 1].

    >>> user_values(np.array([1, 10, 11]), "HR@10").tolist()
    [1.0, 1.0, 0.0]
    >>> user_values(np.array([1, 3, 11]), "NDCG@10").tolist()
    [1.0, 0.5, 0.0]
    >>> user_values(np.array([1, 2, 4, NEVER]), "MRR").tolist()
    [1.0, 0.5, 0.25, 0.0]
    """
    name, _, cutoff = metric.partition("@")
    last = int(cutoff or NEVER - 1)
    return np.where(ranks <= last, _GAINS[name](ranks.astype(np.float64)), 0.0)


def summarize(ranks: np.ndarray, metrics: Sequence[str] = METRICS) -> dict[str, float]:
    """Returns metrics by their names.

    Args:
        ranks: [users] int, from 1; NEVER if the target is excluded.
        metrics: names from METRICS, or with another k.

    >>> summarize(np.array([1, 3, NEVER, NEVER]), ["HR@10", "NDCG@10"])
    {'HR@10': 0.5, 'NDCG@10': 0.375}
    """
    return {name: float(user_values(ranks, name).mean()) for name in metrics}

"""Ranking metrics from the rank of each user's one target; every user counts the
same."""

from __future__ import annotations

import numpy as np

CUTOFFS = (5, 10, 20)
SELECTION_METRIC = "NDCG@10"  # of the validation, by which models are chosen
# Rank of a target that the protocol excludes, as if it came behind everything: within
# no cutoff, and worth nothing to MRR.
NEVER = int(np.iinfo(np.int32).max)


def hit_rate(ranks: np.ndarray, k: int) -> float:
    """Returns HR@k, the share of targets among the first k.

    >>> hit_rate(np.array([1, 10, 11]), k=10)
    0.6666666666666666
    """
    return float(np.mean(ranks <= k))


def ndcg(ranks: np.ndarray, k: int) -> float:
    """Returns NDCG@k, for one target 1 / log2(rank + 1) within the first k.

    >>> ndcg(np.array([1, 3, 11]), k=10)
    0.5
    """
    return float(np.mean(np.where(ranks <= k, 1.0 / np.log2(ranks + 1.0), 0.0)))


def mrr(ranks: np.ndarray) -> float:
    """Returns the mean reciprocal rank, over the whole ranking.

    >>> mrr(np.array([1, 2, 4]))
    0.5833333333333334
    >>> mrr(np.array([1, NEVER]))
    0.5
    """
    return float(np.mean(np.where(ranks == NEVER, 0.0, 1.0 / ranks)))


def summarize(ranks: np.ndarray) -> dict[str, float]:
    """Returns every metric by its name.

    Args:
        ranks: [users] int, from 1; NEVER where the target is excluded.
    """
    return {
        **{f"HR@{k}": hit_rate(ranks, k) for k in CUTOFFS},
        **{f"NDCG@{k}": ndcg(ranks, k) for k in CUTOFFS},
        "MRR": mrr(ranks),
    }

"""Checks that TFRS' top-k lists and the evaluator's ranks tell the same."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from emkd_tf.data.histories import Histories
from emkd_tf.evaluation.evaluator import Recommender, chunks
from emkd_tf.evaluation.metrics import hit_rate, ndcg
from emkd_tf.retrieval.index import EnsembleIndex
from emkd_tf.special_ids import PAD_ID

_TIE = 1e-4  # relative difference of scores that two products of one pair may have


def retrieval_metrics(
    recommender: Recommender,
    histories: Histories,
    split: str,
    ranks: np.ndarray,
    k: int = 10,
) -> dict[str, float]:
    """Retrieves every user's top k with the history excluded and compares with the
    ranks.

    Args:
        recommender: to retrieve with.
        histories: of all users.
        split: "validation" or "test".
        ranks: [users] int, the evaluator's ranks under the protocol "unseen".
        k: length of the lists.

    Returns:
        "HR@k" and "NDCG@k" of the TFRS lists; they equal the ranks' but for ties, which
        the ranks count against the target.

    Raises:
        AssertionError: a list and a rank differ by more than a tie.
    """
    index = EnsembleIndex(recommender.item_vectors())
    widest = index.num_items - k
    places = np.empty(histories.num_users, np.int64)
    for chunk in chunks(histories, split, recommender.max_length - 1):
        is_target = chunk["seen"] == chunk["targets"][:, np.newaxis]
        exclusions = np.where(is_target, PAD_ID, chunk["seen"])
        vectors = recommender.user_vectors(tf.constant(chunk["item_ids"]))
        for rows in _by_width(exclusions, widest):
            users, targets = chunk["users"][rows], chunk["targets"][rows]
            own = tf.gather(vectors, rows)
            scores, ids = index.top_k(own, _narrow(exclusions[rows], widest), k)
            is_hit = ids == targets[:, np.newaxis]
            place = np.where(is_hit.any(1), is_hit.argmax(1) + 1, k + 1)
            places[users] = place
            _check(users, place, np.minimum(ranks[users], k + 1), scores)
    return {f"HR@{k}": hit_rate(places, k), f"NDCG@{k}": ndcg(places, k)}


def _by_width(exclusions: np.ndarray, widest: int) -> list[np.ndarray]:
    """Groups rows: those with few exclusions together, each with very many alone."""
    widths = (exclusions != PAD_ID).sum(axis=1)
    wide = np.flatnonzero(widths > widest)
    groups = [np.flatnonzero(widths <= widest), *wide[:, np.newaxis]]
    return [rows for rows in groups if rows.size]


def _narrow(exclusions: np.ndarray, widest: int) -> np.ndarray:
    """Drops padding that no row needs; few widths, for TFRS traces each one anew."""
    width = max(1, int((exclusions != PAD_ID).sum(axis=1).max()))
    rounded = min(2 ** (width - 1).bit_length(), exclusions.shape[1], widest)
    return np.sort(exclusions, axis=1)[:, -max(width, rounded) :]


def _check(
    users: np.ndarray, places: np.ndarray, ranks: np.ndarray, scores: np.ndarray
) -> None:
    """Two places of one item may differ only if the list's scores between them tie."""
    last = scores.shape[1]
    for row in np.flatnonzero(
        np.minimum(places, last + 1) != np.minimum(ranks, last + 1)
    ):
        between = scores[row, [min(p[row], last) - 1 for p in (places, ranks)]]
        if abs(between[0] - between[1]) > _TIE * max(1.0, abs(between[0])):
            raise AssertionError(
                f"User {users[row]}: place {places[row]} in the TFRS list, rank "
                f"{ranks[row]} by counting; the evaluation is wrong, please report it."
            )

"""Checks that TFRS' top-k lists agree with the evaluator's ranks."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf

from emkd_tf.data.histories import Histories
from emkd_tf.evaluation.evaluator import chunk_users, chunks, user_vector_function
from emkd_tf.evaluation.metrics import summarize
from emkd_tf.models.ranker import Ranker
from emkd_tf.retrieval.index import EnsembleIndex
from emkd_tf.special_ids import PAD_ID

# How much two products of the same vectors may differ, relative to the sum of the
# absolute terms: terms may be large even if the score is not.
_ROUNDING = 1e-4


@dataclasses.dataclass
class Agreement:
    """Metrics of the TFRS lists, and where they contradict the ranks.

    Attributes:
        metrics: "HR@k" and "NDCG@k" of the lists; they equal the ranks' except for
            ties, which the ranks count against the target.
        users: number of users whose list and rank differ by more than rounding.
        example: one of them in words; "" if there is none.
    """

    metrics: dict[str, float]
    users: int = 0
    example: str = ""


def retrieval_agreement(
    model: Ranker,
    histories: Histories,
    split: str,
    ranks: np.ndarray,
    protocol: str = "unseen",
    k: int = 10,
) -> Agreement:
    """Retrieves every user's top k under a protocol and compares it with the ranks.

    Args:
        model: to retrieve with.
        histories: of all users.
        split: "validation" or "test".
        ranks: [n] int, the evaluator's ranks under the protocol.
        protocol: "unseen", "window" or "all".
        k: length of the lists.
    """
    item_vectors = model.item_vectors()
    index, encode = EnsembleIndex(item_vectors), user_vector_function(model)
    sizes = tf.abs(item_vectors)
    places = np.full(len(ranks), k + 1, np.int64)
    agreement = Agreement({})
    # Same chunks as for the ranks: others give vectors with different last bits.
    size = chunk_users(histories.num_items)
    for chunk in chunks(histories, split, model.history_length, size):
        vectors = encode(tf.constant(chunk["item_ids"]), tf.constant(chunk["users"]))
        exclusions = _exclusions(chunk, protocol)
        for rows in _by_width(exclusions, index.num_items, k):
            users, targets = chunk["users"][rows], chunk["targets"][rows]
            at = chunk["rows"][rows]
            own = tf.gather(vectors, rows)
            narrow = _narrow(exclusions[rows], index.num_items - k)
            scores, ids = index.top_k(own, narrow, k)
            is_hit = ids == targets[:, np.newaxis]
            place = np.where(is_hit.any(1), is_hit.argmax(1) + 1, k + 1)
            places[at] = place
            rank = np.minimum(ranks[at], k + 1)
            of_list = tf.gather(sizes, ids - 1)  # [n, k, D]
            terms = tf.linalg.matvec(of_list, tf.abs(own)).numpy()
            for row in _contradictions(place, rank, scores, _ROUNDING * terms):
                agreement.users += 1
                agreement.example = (
                    f"user {users[row]}: place {place[row]} in the TFRS list, rank "
                    f"{ranks[at[row]]} by counting"
                )
    agreement.metrics = summarize(places, [f"HR@{k}", f"NDCG@{k}"])
    return agreement


def _exclusions(chunk: dict[str, np.ndarray], protocol: str) -> np.ndarray:
    """Returns [n, W] int32, the items that a protocol excludes, PAD_ID elsewhere."""
    seen = chunk["seen"]
    return {
        "unseen": seen,
        "window": np.where(chunk["in_window"], seen, PAD_ID),
        "all": np.full_like(seen, PAD_ID),
    }[protocol]


def _by_width(exclusions: np.ndarray, num_items: int, k: int) -> list[np.ndarray]:
    """Groups rows: all with few exclusions together, each with very many alone; a row
    that excludes all items has no list."""
    widths = (exclusions != PAD_ID).sum(axis=1)
    wide = np.flatnonzero((widths > num_items - k) & (widths < num_items))
    groups = [np.flatnonzero(widths <= num_items - k), *wide[:, np.newaxis]]
    return [rows for rows in groups if rows.size]


def _narrow(exclusions: np.ndarray, widest: int) -> np.ndarray:
    """Drops padding that no row needs, leaving few widths: TFRS retraces for each."""
    width = int((exclusions != PAD_ID).sum(axis=1).max())
    if width:
        rounded = min(2 ** (width - 1).bit_length(), exclusions.shape[1], widest)
        width = max(width, rounded)
    return np.sort(exclusions, axis=1)[:, exclusions.shape[1] - width :]


def _contradictions(
    places: np.ndarray, ranks: np.ndarray, scores: np.ndarray, rounding: np.ndarray
) -> list[int]:
    """Returns the rows where two places of one item differ although the list's scores
    at these places do not tie.

    Args:
        places, ranks: [n] int, in the list and by counting.
        scores, rounding: [n, k] float, of the list, and the error of each score.
    """
    last = scores.shape[1]
    places, ranks = np.minimum(places, last + 1), np.minimum(ranks, last + 1)
    found = []
    for row in np.flatnonzero(places != ranks).tolist():
        ends = [min(p[row], last) - 1 for p in (places, ranks)]
        apart = abs(scores[row, ends[0]] - scores[row, ends[1]])
        if not apart <= rounding[row, ends].sum():
            found.append(row)
    return found

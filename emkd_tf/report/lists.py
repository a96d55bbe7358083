"""The lists that test users get: how much of the catalogue they show, and which
part."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from emkd_tf.data.histories import Histories
from emkd_tf.evaluation.evaluator import chunk_users
from emkd_tf.evaluation.user_parts import Parts, by_bounds
from emkd_tf.models.ranker import Ranker, Scorer
from emkd_tf.retrieval.recommend import LOWEST, excluded, recommender_of
from emkd_tf.special_ids import PAD_ID


@dataclasses.dataclass(frozen=True)
class ListFacts:
    """What a model's lists are made of.

    Attributes:
        counts: [V] int64, in how many lists each item 1..V is.
        coverage: share of the catalogue that is in at least one list.
        novelty: mean surprise of a list's item, in bits.
        shares: share of the lists' places by part of the catalogue, as in
            `by_bounds`.
    """

    counts: np.ndarray
    coverage: float
    novelty: float
    shares: dict[str, float]


def lists_of_test_users(
    model: Ranker | Scorer,
    histories: Histories,
    protocol: str,
    k: int,
    advance: Callable[[int], None] = lambda count: None,
) -> np.ndarray:
    """Recommends for each test user from the actions before the target.

    Args:
        model: to recommend with.
        histories: of all users.
        protocol: what lists must not hold.
        k: items per list, at most V.
        advance: called with the number of users after each piece.

    Returns:
        [n, k] int32 item ids in the order of `histories.evaluated("test")`; PAD_ID
        where a history leaves no item.
    """
    recommender = recommender_of(model, histories, protocol)
    users, lengths = histories.evaluated("test"), histories.known_lengths("test")
    user_ids = histories.user_ids()
    found = np.zeros((len(users), k), np.int32)
    size = chunk_users(histories.num_items)
    order = np.argsort(lengths, kind="stable")
    for rows in np.split(order, range(size, len(users), size)):
        width = max(model.history_length, int(lengths[rows].max()))
        history = histories.before_target("test", users[rows], width)
        exclusions = excluded(history, protocol, model.history_length)
        ids = [user_ids[user] for user in users[rows]]
        scores, places = recommender.top_k(history, exclusions, k, ids)
        found[rows] = np.where(scores.numpy() > LOWEST, places.numpy() + 1, PAD_ID)
        advance(len(rows))
    return found


def surprise(training_counts: np.ndarray) -> np.ndarray:
    """Returns how surprising each item is, in bits: minus the logarithm of its share of
    the training actions. One is added to each item's count, so that one never seen has
    a finite value.

    Args:
        training_counts: [V] int.

    Returns:
        [V] float64.

    Source: Zhou et al. 2010 (self-information). Departure: the one added.
    """
    counts = training_counts + 1.0
    return -np.log2(counts / counts.sum())


def describe(
    lists: np.ndarray, training_counts: np.ndarray, bounds: Sequence[int]
) -> ListFacts:
    """Describes lists.

    Args:
        lists: [n, k] int item ids, PAD_ID where there is none.
        training_counts: [V] int, of items 1..V.
        bounds: between the parts of the catalogue, of `popularity_bounds`.
    """
    items = lists[lists != PAD_ID] - 1
    counts = np.bincount(items, minlength=len(training_counts))
    shares = shares_of(by_bounds(training_counts[items], bounds))
    novelty = float(surprise(training_counts)[items].mean())
    return ListFacts(counts, float((counts > 0).mean()), novelty, shares)


def shares_of(parts: Parts) -> dict[str, float]:
    """Returns the share of each part."""
    return {name: float(is_part.mean()) for name, is_part in parts.items()}

"""Ranks every user's held-out item among all items, in chunks of users."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Protocol

import numpy as np
import tensorflow as tf

from emkd_tf.data.histories import Histories
from emkd_tf.evaluation.metrics import summarize
from emkd_tf.evaluation.ranks import rank_targets
from emkd_tf.special_ids import PAD_ID

CHUNK_USERS = 256
# Large products are faster, but the scores of a chunk must fit into memory.
_MOST_USERS, _MOST_SCORES = 1024, 2**24
ENSEMBLE = "ensemble"
_encoders: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


class Recommender(Protocol):
    """What can be evaluated: scores are an inner product."""

    max_length: int

    def user_vectors(self, item_ids: tf.Tensor) -> tf.Tensor:
        """[B, length] int32 left-padded histories to [B, D]."""

    def item_vectors(self) -> tf.Tensor:
        """[V, D], items 1..V."""


def chunks(
    histories: Histories, split: str, window: int, size: int = CHUNK_USERS
) -> Iterator[dict[str, np.ndarray]]:
    """Yields what an evaluation needs of `size` users at a time.

    Users with histories of about the same length go together, so that little of a chunk
    is padding.

    Args:
        histories: of all users.
        split: "validation" or "test".
        window: newest items that the encoder sees.
        size: users of a chunk.

    Yields:
        "users" [n]; "item_ids" [n, L] int32, the last items, L <= window; "targets" [n]
        int32; "seen" [n, W] int32, the history's items, each once, PAD_ID elsewhere;
        "in_window" [n, W] bool.
    """
    targets = histories.targets(split)
    by_length = np.argsort(np.diff(histories.offsets), kind="stable")
    for first in range(0, histories.num_users, size):
        users = by_length[first : first + size]
        history = histories.before_target(split, users)
        # The last occurrence of an item decides whether it is in the window: sort by
        # item, then by place, and keep the last of each run.
        order = np.argsort(history, axis=1, kind="stable")
        seen = np.take_along_axis(history, order, axis=1)
        is_last = np.ones(seen.shape, bool)
        is_last[:, :-1] = seen[:, 1:] != seen[:, :-1]
        yield {
            "users": users,
            "item_ids": history[:, -window:],
            "targets": targets[users],
            "seen": np.where(is_last, seen, PAD_ID).astype(np.int32),
            "in_window": order >= history.shape[1] - window,
        }


def chunk_users(num_items: int) -> int:
    """Returns how many users' scores of all items are held at a time."""
    return int(np.clip(_MOST_SCORES // num_items, 32, _MOST_USERS))


def rank_users(
    recommender: Recommender, histories: Histories, split: str, members: bool = False
) -> dict[str, dict[str, np.ndarray]]:
    """Ranks every user's target.

    Args:
        recommender: to evaluate.
        histories: of all users.
        split: "validation" (target: the last but one item) or "test" (the last).
        members: also rank by each network of an ensemble alone.

    Returns:
        [users] int32 ranks by member ("ensemble" is the recommender) and protocol.
    """
    item_vectors = recommender.item_vectors()
    parts = recommender.members() if members else {}
    window = recommender.max_length - 1
    size = chunk_users(histories.num_items)
    encode = _encoder(recommender)
    collected: dict[str, list] = {name: [] for name in (ENSEMBLE, *parts)}
    users = []
    for chunk in chunks(histories, split, window, size):
        users.append(chunk["users"])
        vectors = encode(tf.constant(chunk["item_ids"]))
        rest = [tf.constant(chunk[key]) for key in ("targets", "seen", "in_window")]
        collected[ENSEMBLE].append(rank_targets(vectors, item_vectors, *rest))
        for name, part in parts.items():
            own = tf.gather(vectors, part.columns, axis=1)
            collected[name].append(rank_targets(own, part.item_vectors, *rest))
    place = np.argsort(np.concatenate(users))
    return {
        name: {
            protocol: np.concatenate([ranks[protocol] for ranks in of_chunks])[place]
            for protocol in of_chunks[0]
        }
        for name, of_chunks in collected.items()
    }


def _encoder(recommender: Recommender) -> tf.types.experimental.PolymorphicFunction:
    """Returns `user_vectors` as a graph, which is traced once for all evaluations."""
    if recommender not in _encoders:
        own = weakref.ref(recommender)  # its entry goes with the recommender
        _encoders[recommender] = tf.function(
            lambda item_ids: own().user_vectors(item_ids),
            input_signature=[tf.TensorSpec([None, None], tf.int32)],
            autograph=False,
        )
    return _encoders[recommender]


def evaluate(
    recommender: Recommender, histories: Histories, split: str
) -> dict[str, dict[str, float]]:
    """Returns the metrics of every protocol: {"unseen": {"HR@10": ...}, ...}."""
    ranks = rank_users(recommender, histories, split)[ENSEMBLE]
    return {protocol: summarize(of_users) for protocol, of_users in ranks.items()}

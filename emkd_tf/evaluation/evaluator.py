"""Ranks every user's held-out item among all items, in chunks of users."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from emkd_tf.data.histories import Histories
from emkd_tf.evaluation.metrics import summarize
from emkd_tf.evaluation.ranks import rank_scores, rank_targets
from emkd_tf.models.ranker import Ranker, Scorer
from emkd_tf.special_ids import PAD_ID

CHUNK_USERS = 256
# Large products are faster, but the scores of a chunk must fit into memory.
_MOST_USERS, _MOST_SCORES = 1024, 2**24
ENSEMBLE = "ensemble"
_Ranks = dict[str, dict[str, tf.Tensor]]  # [B] int32 by member and protocol
_functions: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def chunks(
    histories: Histories, split: str, window: int, size: int = CHUNK_USERS
) -> Iterator[dict[str, np.ndarray]]:
    """Yields what evaluation needs, for `size` users at a time.

    Users with histories of similar length go together, so that chunks contain little
    padding.

    Args:
        histories: of all users.
        split: "validation" or "test".
        window: number of newest items that the encoder sees.
        size: users per chunk.

    Yields:
        "users" [n], and "rows" [n], their places among the split's users; "item_ids"
        [n, L] int32, the last items, L <= window; "targets" [n] int32; "seen" [n, W]
        int32, the history's items, each once, PAD_ID elsewhere; "in_window" [n, W]
        bool.
    """
    targets, evaluated = histories.targets(split), histories.evaluated(split)
    by_length = np.argsort(histories.known_lengths(split), kind="stable")
    for first in range(0, len(evaluated), size):
        rows = by_length[first : first + size]
        users = evaluated[rows]
        history = histories.before_target(split, users)
        # The last occurrence of an item decides whether it is in the window: sort by
        # item, then by place, and keep the last one of each item.
        order = np.argsort(history, axis=1, kind="stable")
        seen = np.take_along_axis(history, order, axis=1)
        is_last = np.ones(seen.shape, bool)
        is_last[:, :-1] = seen[:, 1:] != seen[:, :-1]
        yield {
            "users": users,
            "rows": rows,
            "item_ids": history[:, -window:],
            "targets": targets[rows],
            "seen": np.where(is_last, seen, PAD_ID).astype(np.int32),
            "in_window": order >= history.shape[1] - window,
        }


def chunk_users(num_items: int) -> int:
    """Returns for how many users the scores of all items are held at a time."""
    return int(np.clip(_MOST_SCORES // num_items, 32, _MOST_USERS))


def rank_users(
    model: Ranker | Scorer,
    histories: Histories,
    split: str,
    members: bool = False,
    most_chunks: int | None = None,
) -> dict[str, dict[str, np.ndarray]]:
    """Ranks every user's target.

    Args:
        model: to evaluate.
        histories: of all users.
        split: "validation" (target: the last but one item) or "test" (the last).
        members: also rank by each network of an ensemble alone.
        most_chunks: stop after this many chunks of users, enough to compile everything;
            None ranks all users.

    Returns:
        [n] int32 ranks of the users that the split evaluates, NEVER if the protocol
        excludes the target, by member ("ensemble" is the model) and protocol.
    """
    if isinstance(model, Ranker):
        rank = _by_vectors(model, members)
    else:
        rank = _by_scores(model)
    window = model.history_length
    size = chunk_users(histories.num_items)
    collected: dict[str, list] = {}
    rows = []
    of_split = chunks(histories, split, window, size)
    for chunk in itertools.islice(of_split, most_chunks):
        rows.append(chunk["rows"])
        rest = [tf.constant(chunk[key]) for key in ("targets", "seen", "in_window")]
        for name, ranks in rank(chunk, rest).items():
            collected.setdefault(name, []).append(ranks)
    place = np.argsort(np.concatenate(rows))
    return {
        name: {
            protocol: np.concatenate([ranks[protocol] for ranks in of_chunks])[place]
            for protocol in of_chunks[0]
        }
        for name, of_chunks in collected.items()
    }


def _by_vectors(
    model: Ranker, members: bool
) -> Callable[[dict[str, np.ndarray], list[tf.Tensor]], _Ranks]:
    item_vectors, encode = model.item_vectors(), user_vector_function(model)
    parts = model.members() if members else {}

    def rank(chunk: dict[str, np.ndarray], rest: list[tf.Tensor]) -> _Ranks:
        vectors = encode(tf.constant(chunk["item_ids"]), tf.constant(chunk["users"]))
        found = {ENSEMBLE: rank_targets(vectors, item_vectors, *rest)}
        for name, part in parts.items():
            own = tf.gather(vectors, part.columns, axis=1)
            found[name] = rank_targets(own, part.item_vectors, *rest)
        return found

    return rank


def _by_scores(
    model: Scorer,
) -> Callable[[dict[str, np.ndarray], list[tf.Tensor]], _Ranks]:
    def rank(chunk: dict[str, np.ndarray], rest: list[tf.Tensor]) -> _Ranks:
        scores = model.score_items(chunk["item_ids"])
        scores = tf.constant(scores, tf.float64)
        return {ENSEMBLE: rank_scores(scores, *rest)}

    return rank


def user_vector_function(model: Ranker) -> tf.types.experimental.PolymorphicFunction:
    """Returns `user_vectors` of item_ids [B, any] int32 and users [B] int64 as a graph,
    which is traced once for all evaluations."""
    if model not in _functions:
        own = weakref.proxy(model)  # so that the entry is freed with the model
        _functions[model] = tf.function(
            # A bound method would keep the model alive.
            lambda item_ids, users: own.user_vectors(item_ids, users),
            input_signature=[
                tf.TensorSpec([None, None], tf.int32),
                tf.TensorSpec([None], tf.int64),
            ],
            autograph=False,
        )
    return _functions[model]


def evaluate(
    model: Ranker | Scorer, histories: Histories, split: str
) -> dict[str, dict[str, float]]:
    """Returns the metrics of every protocol: {"unseen": {"HR@10": ...}, ...}."""
    ranks = rank_users(model, histories, split)[ENSEMBLE]
    return {protocol: summarize(of_users) for protocol, of_users in ranks.items()}

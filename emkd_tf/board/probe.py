"""How well networks predict, and how far they agree, for some validation users."""

from __future__ import annotations

import itertools

import numpy as np
import tensorflow as tf

from emkd_tf.data.histories import Histories
from emkd_tf.evaluation.evaluator import chunk_users, user_vector_function
from emkd_tf.models.ranker import Ranker

_MOST_USERS = 512
_TOP = 10


class Probe:
    """Measures what ranks do not show.

    Args:
        histories: of all users; at most 512 validation users are used, fewer for a
            large catalogue, the same ones each time.
        history_length: newest items that the encoders see.
    """

    def __init__(self, histories: Histories, history_length: int):
        users = histories.evaluated("validation")
        count = min(len(users), _MOST_USERS, chunk_users(histories.num_items))
        rows = np.unique(np.linspace(0, len(users) - 1, count).astype(np.int64))
        self._users = tf.constant(users[rows], tf.int64)
        self._item_ids = tf.constant(
            histories.before_target("validation", users[rows], history_length)
        )
        self._targets = tf.constant(histories.targets("validation")[rows])

    def measure(self, model: Ranker) -> dict[str, float]:
        """Measures a model and its networks.

        Returns:
            `validation/cross_entropy`, in nats, of the target among all items, and
            `network_n/cross_entropy`; for each pair of networks `divergence/1-2`, the
            mean of both KL divergences between their softmaxes, in nats, and
            `overlap/1-2`, the share of their top 10 in common.
        """
        vectors = user_vector_function(model)(self._item_ids, self._users)
        scores = {"validation": _product(vectors, model.item_vectors())}
        members = model.members()
        for name, member in members.items():
            own = tf.gather(vectors, member.columns, axis=1)
            scores[name] = _product(own, member.item_vectors)
        found = {
            f"{name}/cross_entropy": float(_cross_entropy(of_name, self._targets))
            for name, of_name in scores.items()
        }
        for (i, one), (j, two) in itertools.combinations(enumerate(members, 1), 2):
            both = scores[one], scores[two]
            found[f"divergence/{i}-{j}"] = float(divergence(*both))
            found[f"overlap/{i}-{j}"] = float(overlap(*both, _TOP))
        return found


def _product(vectors: tf.Tensor, item_vectors: tf.Tensor) -> tf.Tensor:
    return tf.matmul(vectors, item_vectors, transpose_b=True)  # [B, V]


def _cross_entropy(scores: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets - 1, scores)
    return tf.reduce_mean(losses)


def divergence(one: tf.Tensor, two: tf.Tensor) -> tf.Tensor:
    """Returns the mean of KL(p || q) and KL(q || p) over users, in nats.

    Args:
        one, two: [B, V] float scores, whose softmaxes p and q are.
    """
    log_p, log_q = (tf.nn.log_softmax(scores) for scores in (one, two))
    # Both directions together: (p - q) (log p - log q).
    terms = (tf.exp(log_p) - tf.exp(log_q)) * (log_p - log_q)
    return 0.5 * tf.reduce_mean(tf.reduce_sum(terms, axis=1))


def overlap(one: tf.Tensor, two: tf.Tensor, k: int) -> tf.Tensor:
    """Returns the share of the best k items that two networks have in common, over
    users.

    Args:
        one, two: [B, V] float scores.
        k: cut to V.
    """
    k = min(k, one.shape[1])
    a, b = (tf.math.top_k(scores, k).indices for scores in (one, two))
    is_in_both = tf.reduce_any(a[:, :, tf.newaxis] == b[:, tf.newaxis, :], axis=2)
    return tf.reduce_mean(tf.cast(is_in_both, tf.float32))

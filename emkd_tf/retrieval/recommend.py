"""Recommendations for histories of raw ids, from the live model."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from emkd_tf.data.histories import Histories
from emkd_tf.models.ranker import Ranker, Scorer
from emkd_tf.models.user_tower import UNKNOWN
from emkd_tf.special_ids import PAD_ID

LOWEST = float(np.finfo(np.float32).min)  # finite: JSON has no -Infinity
Users = Sequence[str] | None  # raw ids, if known
_SEPARATORS = (",", " ", "|", ";", "\t", "\x1f")


@dataclasses.dataclass(frozen=True)
class Recommendations:
    """What is recommended for B histories.

    Attributes:
        item_ids: [B, k] raw ids, best first; "" where the history leaves no item.
        scores: [B, k] float32; the lowest float where there is no item.
        unknown: the ids of each history that are not in the catalogue.
        is_popular: [B] bool: no item of the history is known, so popularity counts.
    """

    item_ids: np.ndarray
    scores: np.ndarray
    unknown: list[list[str]]
    is_popular: np.ndarray


class TopKRecommender(abc.ABC):
    """Recommends items that the protocol does not exclude; popular ones if no item of
    the history is known.

    Args:
        histories: with the items' raw ids and counts.
        history_length: newest items of a history that count.
        protocol: see `excluded`.

    Attributes:
        names: [V] the raw ids of items 1..V, as objects: one may be long.
        popularity: [V] float32, each item's share of the training actions.
        separator: between the ids of a history given as one text; occurs in no id.
        protocol: as given.
    """

    def __init__(self, histories: Histories, history_length: int, protocol: str):
        self.protocol = protocol
        self.names = np.array(histories.item_ids(), object)
        self.separator = choose_separator(self.names)
        self._numbers = {name: i for i, name in enumerate(self.names.tolist(), 1)}
        counts = histories.training_item_counts()
        self.popularity = (counts / counts.sum()).astype(np.float32)
        self._length = history_length

    @abc.abstractmethod
    def top_k(
        self, item_ids: np.ndarray, exclusions: np.ndarray, k: int, users: Users = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the best scores and their places, from 0, [B, k].

        Args:
            item_ids: [B, width] int32, left-padded, at least `history_length` wide.
            exclusions: [B, any] int32, items that score LOWEST.
            k: at most V.
            users: [B] raw ids, see `recommend`.
        """

    def numbers(self, questions: list[list[str]]) -> np.ndarray:
        """Returns the item ids of histories [B, width] int32, left-padded; unknown
        items, which are PAD_ID, are left out."""
        known = [
            [number for i in question if (number := self._numbers.get(i, PAD_ID))]
            for question in questions
        ]
        width = max(self._length, *map(len, known), 1)
        item_ids = np.full((len(known), width), PAD_ID, np.int32)
        for row, items in zip(item_ids, known, strict=True):
            row[width - len(items) :] = items
        return item_ids

    def recommend(
        self, questions: list[list[str]], k: int, users: Users = None
    ) -> Recommendations:
        """Recommends for histories of raw ids.

        Args:
            questions: oldest item first; unknown ids are dropped.
            k: items wanted, cut to the catalogue.
            users: [B] raw ids, for a model that knows its users; other ids are unknown
                to it, as is everyone without ids.
        """
        item_ids = self.numbers(questions)
        top, places = self.top_k(
            item_ids,
            excluded(item_ids, self.protocol, self._length),
            min(k, len(self.names)),
            users,
        )
        top = top.numpy().astype(np.float32)
        is_item = top > LOWEST
        return Recommendations(
            np.where(is_item, self.names[places.numpy()], ""),
            top,
            [[i for i in q if i and i not in self._numbers] for q in questions],
            np.logical_not(item_ids.any(axis=1)),
        )


class VectorRecommender(TopKRecommender):
    """Recommends by an inner product.

    Popularity is one more dimension of the vectors, so that everything stays one inner
    product.

    Args:
        ensemble: networks to recommend with.
        histories, protocol: see `TopKRecommender`.

    Attributes:
        item_vectors: [V, N * d + 2] float32.
    """

    def __init__(
        self, ensemble: Ranker, histories: Histories, protocol: str = "unseen"
    ):
        super().__init__(histories, ensemble.history_length, protocol)
        # Shares, which are small: counts would drown the other dimensions in an index.
        self.item_vectors = np.column_stack(
            [ensemble.item_vectors().numpy(), self.popularity]
        )
        self._item_vectors = tf.constant(self.item_vectors)
        self._encode = tf.function(
            ensemble.user_vectors,
            input_signature=[
                tf.TensorSpec([None, self._length], tf.int32),
                tf.TensorSpec([None], tf.int64),
            ],
        )
        self._user_numbers: dict[str, int] = {}
        if ensemble.knows_users:
            self._user_numbers = {u: i for i, u in enumerate(histories.user_ids())}
        self._top_k = tf.function(_top_k_of_vectors, reduce_retracing=True)

    def queries(self, item_ids: np.ndarray, users: Users = None) -> np.ndarray:
        """Returns [B, N * d + 2] float32, to be multiplied with `item_vectors`, for
        left-padded item ids [B, any] int32."""
        newest = item_ids[:, -self._length :]
        newest = np.pad(newest, [(0, 0), (self._length - newest.shape[1], 0)])
        texts = [""] * len(item_ids) if users is None else users
        numbers = [self._user_numbers.get(text, UNKNOWN) for text in texts]
        vectors = self._encode(newest, tf.constant(numbers, tf.int64)).numpy()
        is_popular = ~item_ids.any(axis=1, keepdims=True)
        return np.where(
            is_popular,
            np.eye(1, vectors.shape[1] + 1, vectors.shape[1], np.float32),
            np.pad(vectors, [(0, 0), (0, 1)]),
        )

    def top_k(
        self, item_ids: np.ndarray, exclusions: np.ndarray, k: int, users: Users = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See `TopKRecommender.top_k`."""
        queries = tf.constant(self.queries(item_ids, users))
        return self._top_k(queries, self._item_vectors, tf.constant(exclusions), k)


class ScoreRecommender(TopKRecommender):
    """Recommends by scores that are not an inner product.

    Args:
        model: to recommend with.
        histories, protocol: see `TopKRecommender`.
    """

    def __init__(self, model: Scorer, histories: Histories, protocol: str = "unseen"):
        super().__init__(histories, model.history_length, protocol)
        self._model = model

    def top_k(
        self, item_ids: np.ndarray, exclusions: np.ndarray, k: int, users: Users = None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """See `TopKRecommender.top_k`."""
        scores = self._model.score_items(item_ids[:, -self._length :])
        is_known = item_ids.any(axis=1, keepdims=True)
        scores = np.where(is_known, scores, self.popularity)
        return _top_k(tf.constant(scores), tf.constant(exclusions), k)


def recommender_of(
    model: Ranker | Scorer, histories: Histories, protocol: str = "unseen"
) -> TopKRecommender:
    """Returns a recommender for a model, by vectors if it has them."""
    if isinstance(model, Ranker):
        return VectorRecommender(model, histories, protocol)
    return ScoreRecommender(model, histories, protocol)


def excluded(
    item_ids: np.ndarray | tf.Tensor, protocol: str, window: int
) -> np.ndarray | tf.Tensor:
    """Returns the items of histories that lists must not hold.

    Args:
        item_ids: [B, length], left-padded.
        protocol: "unseen" excludes all, "window" the newest, "all" none.
        window: how many the encoders see.

    Returns:
        [B, <= length], padding included.
    """
    if protocol == "unseen":
        return item_ids
    return item_ids[:, -window:] if protocol == "window" else item_ids[:, :0]


def choose_separator(item_ids: Iterable[str]) -> str:
    """Returns the first usual separator that is in no item id."""
    text = "\n".join(item_ids)
    return next((s for s in _SEPARATORS if s not in text), "\n")


def _top_k_of_vectors(
    queries: tf.Tensor, item_vectors: tf.Tensor, exclusions: tf.Tensor, k: int
) -> tuple[tf.Tensor, tf.Tensor]:
    scores = tf.matmul(queries, item_vectors, transpose_b=True)
    return _top_k(scores, exclusions, k)


def _top_k(
    scores: tf.Tensor, exclusions: tf.Tensor, k: int
) -> tuple[tf.Tensor, tf.Tensor]:
    # Exclusions at padding fall on a column in front of the items.
    scores = tf.pad(scores, [[0, 0], [1, 0]])
    batch, width = tf.unstack(tf.shape(exclusions))
    rows = tf.repeat(tf.range(batch), width)
    places = tf.stack([rows, tf.reshape(exclusions, [-1])], axis=1)
    lowest = tf.fill([tf.shape(places)[0]], tf.constant(LOWEST, scores.dtype))
    scores = tf.tensor_scatter_nd_update(scores, places, lowest)
    return tf.math.top_k(scores[:, 1:], k)

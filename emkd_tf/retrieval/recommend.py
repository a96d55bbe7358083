"""Recommendations for histories of raw ids, from the live model."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from emkd_tf.data.histories import Histories
from emkd_tf.models.ensemble import Ensemble
from emkd_tf.special_ids import PAD_ID

LOWEST = float(np.finfo(np.float32).min)  # finite: JSON has no -Infinity
_SEPARATORS = (",", " ", "|", ";", "\t", "\x1f")


@dataclasses.dataclass(frozen=True)
class Recommendations:
    """What is recommended for B histories.

    Attributes:
        item_ids: [B, k] raw ids, best first; "" where the history leaves no item.
        scores: [B, k] float32; the lowest float where there is no item.
        unknown: the ids of each history that are not in the catalogue.
        is_popular: [B] bool: nothing of the history is known, so popularity counts.
    """

    item_ids: np.ndarray
    scores: np.ndarray
    unknown: list[list[str]]
    is_popular: np.ndarray


class Recommender:
    """Recommends items that are not in the history; popular ones where no item of it is
    known.

    Popularity is one more dimension of the vectors, so that everything stays one inner
    product.

    Args:
        ensemble: networks to recommend with.
        histories: with the raw ids and the counts of the items.

    Attributes:
        names: [V] the raw ids of items 1..V.
        popularity: [V] float32, each item's share of the training actions.
        item_vectors: [V, N * d + 2] float32.
        separator: between the ids of a history that is one text; in no id.
    """

    def __init__(self, ensemble: Ensemble, histories: Histories):
        self.names = np.array(histories.item_ids())
        self.separator = choose_separator(self.names)
        self._numbers = {name: i for i, name in enumerate(self.names.tolist(), 1)}
        counts = histories.training_item_counts()
        self.popularity = (counts / counts.sum()).astype(np.float32)
        # Shares are small: counts would drown the other dimensions in an index.
        self.item_vectors = np.column_stack(
            [ensemble.item_vectors().numpy(), self.popularity]
        )
        self._item_vectors = tf.constant(self.item_vectors)
        self._length = ensemble.max_length - 1
        self._encode = tf.function(
            ensemble.user_vectors,
            input_signature=[tf.TensorSpec([None, self._length], tf.int32)],
        )
        self._top_k = tf.function(_top_k, reduce_retracing=True)

    def numbers(self, questions: list[list[str]]) -> np.ndarray:
        """Returns the item ids of histories [B, width] int32, left-padded; PAD_ID at
        unknown items is left out."""
        known = [
            [number for i in question if (number := self._numbers.get(i, PAD_ID))]
            for question in questions
        ]
        width = max(self._length, *map(len, known), 1)
        item_ids = np.full((len(known), width), PAD_ID, np.int32)
        for row, items in zip(item_ids, known, strict=True):
            row[width - len(items) :] = items
        return item_ids

    def queries(self, item_ids: np.ndarray) -> np.ndarray:
        """Returns [B, N * d + 2] float32, to be multiplied with `item_vectors`."""
        newest = tf.constant(item_ids[:, -self._length :])
        vectors = self._encode(newest).numpy()
        is_popular = ~item_ids.any(axis=1, keepdims=True)
        return np.where(
            is_popular,
            np.eye(1, vectors.shape[1] + 1, vectors.shape[1], np.float32),
            np.pad(vectors, [(0, 0), (0, 1)]),
        )

    def recommend(self, questions: list[list[str]], k: int) -> Recommendations:
        """Recommends for histories of raw ids.

        Args:
            questions: oldest item first; unknown ids are dropped.
            k: items wanted, cut to the catalogue.
        """
        item_ids = self.numbers(questions)
        top, places = self._top_k(
            tf.constant(self.queries(item_ids)),
            self._item_vectors,
            tf.constant(item_ids),
            min(k, len(self.names)),
        )
        is_item = top.numpy() > LOWEST
        return Recommendations(
            np.where(is_item, self.names[places.numpy()], ""),
            top.numpy(),
            [[i for i in q if i and i not in self._numbers] for q in questions],
            ~item_ids.any(axis=1),
        )


def choose_separator(item_ids: Iterable[str]) -> str:
    """Returns the first usual separator that is in no item id."""
    text = "\n".join(item_ids)
    return next((s for s in _SEPARATORS if s not in text), "\n")


def _top_k(
    queries: tf.Tensor, item_vectors: tf.Tensor, item_ids: tf.Tensor, k: int
) -> tuple[tf.Tensor, tf.Tensor]:
    scores = tf.matmul(queries, item_vectors, transpose_b=True)
    # What is excluded at padding falls on a column in front of the items.
    scores = tf.pad(scores, [[0, 0], [1, 0]])
    rows = tf.broadcast_to(tf.range(tf.shape(item_ids)[0])[:, None], tf.shape(item_ids))
    places = tf.reshape(tf.stack([rows, item_ids], axis=-1), [-1, 2])
    lowest = tf.fill([tf.shape(places)[0]], tf.constant(LOWEST))
    scores = tf.tensor_scatter_nd_update(scores, places, lowest)
    return tf.math.top_k(scores[:, 1:], k)

"""What can be evaluated: by an inner product of vectors, or by scores alone."""

from __future__ import annotations

import dataclasses
from typing import Protocol, runtime_checkable

import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True, eq=False)
class ItemScores:
    """How a member of an ensemble scores: part of the user vectors times item vectors.

    Attributes:
        columns: columns of the user vectors [B, D] that it reads, in its order.
        item_vectors: [V, len(columns)] float.
    """

    columns: np.ndarray
    item_vectors: tf.Tensor


@runtime_checkable
class Ranker(Protocol):
    """What can be evaluated and exported: the score of an item is an inner product.

    Attributes:
        history_length: how many of the newest items the user vector depends on.
        knows_users: whether it depends on the user as well as on the history.
    """

    history_length: int

    @property
    def knows_users(self) -> bool: ...

    def user_vectors(
        self, item_ids: tf.Tensor, users: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Encodes histories.

        Args:
            item_ids: [B, any] int32, left-padded with PAD_ID.
            users: [B] int user numbers, which most models ignore.

        Returns:
            [B, D] float.
        """

    def item_vectors(self) -> tf.Tensor:
        """[V, D], items 1..V."""

    def members(self) -> dict[str, ItemScores]:
        """How each part scores alone, by name; empty if there is only one part."""


@runtime_checkable
class Scorer(Protocol):
    """What can be evaluated without vectors.

    Attributes:
        history_length: how many of the newest items the scores depend on.
    """

    history_length: int

    def score_items(self, item_ids: np.ndarray) -> np.ndarray:
        """[B, any] int32 histories, left-padded with PAD_ID, to [B, V] float, items
        1..V."""

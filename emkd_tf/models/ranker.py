"""What can be evaluated: by an inner product of vectors, or by scores alone."""

from __future__ import annotations

import dataclasses
from typing import Protocol, runtime_checkable

import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True, eq=False)
class ItemScores:
    """How a member of an ensemble scores: a part of the user vectors times item
    vectors.

    Attributes:
        columns: the parts of the user vectors [B, D] that it reads, in its order.
        item_vectors: [V, len(columns)] float.
    """

    columns: np.ndarray
    item_vectors: tf.Tensor


@runtime_checkable
class Ranker(Protocol):
    """What can be evaluated and exported: the score of an item is an inner product.

    Attributes:
        history_length: newest items of a history that the user vector depends on.
        knows_users: whether it depends on the user beside the history.
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
            users: [B] int numbers of the users, of which most models make no use.

        Returns:
            [B, D] float.
        """

    def item_vectors(self) -> tf.Tensor:
        """[V, D], items 1..V."""

    def members(self) -> dict[str, ItemScores]:
        """How the parts score alone, by name; nothing where there is only one."""


@runtime_checkable
class Scorer(Protocol):
    """What can be evaluated without vectors.

    Attributes:
        history_length: newest items of a history that the scores depend on.
    """

    history_length: int

    def score_items(self, item_ids: np.ndarray) -> np.ndarray:
        """[B, any] int32 histories, left-padded with PAD_ID, to [B, V] float, items
        1..V."""

"""Scores items by how well they go with the last items of a history."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from emkd_tf.data.histories import Histories, places_between
from emkd_tf.special_ids import PAD_ID


class ItemToItem:
    """Scores items by a table of item pairs; needs no vectors and no TensorFlow.

    The score of item j is prior[j] + sum over ages a of decay^a * table[i_a, j], where
    i_0 is the newest item of the history, i_1 the one before it.

    Args:
        table: [V, V] float, sparse; row i - 1 holds what item i contributes.
        prior: [V] float, the scores for an empty history.
        num_last: how many of the newest items of a history count, >= 1.
        decay: weight of an item relative to the next newer one, in (0, 1].
        max_length: L, how many of the newest items can count at all; they form the
            `window` of the protocol.

    Attributes:
        history_length: L.
    """

    def __init__(
        self,
        table: sparse.csr_array,
        prior: np.ndarray,
        *,
        num_last: int,
        decay: float,
        max_length: int,
    ):
        self.history_length = max_length
        self.table, self.prior = table, prior
        self._weights = decay ** np.arange(num_last, dtype=np.float64)[::-1]

    def score_items(self, item_ids: np.ndarray) -> np.ndarray:
        """Scores all items.

        Args:
            item_ids: [B, length] int32, left-padded with PAD_ID.

        Returns:
            [B, V] float64, items 1..V.
        """
        last = item_ids[:, -len(self._weights) :]
        rows, columns = np.nonzero(last != PAD_ID)
        weights = self._weights[-last.shape[1] :][columns]
        history = sparse.csr_array(
            (weights, (rows, last[rows, columns] - 1)),
            shape=(len(last), self.table.shape[0]),
        )
        return (history @ self.table).toarray() + self.prior


class TrainingActions(NamedTuple):
    """The actions from which tables of item pairs are counted.

    Attributes:
        users: [n] user numbers from 0, grouped by user.
        items: [n] int32 item ids, each user's in order of time.
        num_users, num_items: of the dataset.
    """

    users: np.ndarray
    items: np.ndarray
    num_users: int
    num_items: int

    @classmethod
    def between(
        cls, items: np.ndarray, starts: np.ndarray, ends: np.ndarray, num_items: int
    ) -> TrainingActions:
        """Takes the actions between bounds.

        Args:
            items: [actions] int32 item ids, grouped by user.
            starts, ends: [users] int64 bounds of each user's part.
            num_items: V.
        """
        users, places = places_between(starts, ends)
        return cls(users, items[places], len(starts), num_items)

    @classmethod
    def of(cls, histories: Histories) -> TrainingActions:
        """Takes the training parts of histories."""
        bounds = histories.training_bounds()
        return cls.between(histories.items, *bounds, histories.num_items)

    def popularity(self) -> np.ndarray:
        """Returns the share of each item 1..V in the actions, [V]."""
        counts = np.bincount(self.items, minlength=self.num_items + 1)[1:]
        return counts / max(len(self.items), 1)

"""What speaks for an item is what goes with the last items of a history."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from emkd_tf.data.histories import Histories
from emkd_tf.special_ids import PAD_ID


class ItemToItem:
    """Scores items by a table of item pairs; needs no vectors and no TensorFlow.

    The score of item j is prior[j] + sum over ages a of decay^a * table[i_a, j], where
    i_0 is the newest item of the history, i_1 the one before it.

    Args:
        table: [V, V] float, sparse; row i - 1 is what item i speaks for.
        prior: [V] float, the scores where nothing is known of the user.
        num_last: items of a history that count, the newest, >= 1.
        decay: weight of an item relative to the next newer one, in (0, 1].
        max_length: L, the newest items of a history that can count at all; they form
            the `window` of the protocol.

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
    """What tables of item pairs are counted from.

    Attributes:
        users: [n] numbers from 0, one after the other.
        items: [n] int32 item ids, each user's in the order of time.
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
            items: [actions] int32 item ids, user after user.
            starts, ends: [users] int64 bounds of each user's part.
            num_items: V.
        """
        lengths = ends - starts
        users = np.repeat(np.arange(len(lengths)), lengths)
        before = np.cumsum(lengths) - lengths  # actions of the users before each
        places = np.arange(len(users)) + np.repeat(starts - before, lengths)
        return cls(users, items[places], len(starts), num_items)

    @classmethod
    def of(cls, histories: Histories) -> TrainingActions:
        """Takes the training parts of histories."""
        bounds = histories.training_bounds()
        return cls.between(histories.items, *bounds, histories.num_items)

    def popularity(self) -> np.ndarray:
        """Returns the share [V] of each item 1..V in the actions."""
        counts = np.bincount(self.items, minlength=self.num_items + 1)[1:]
        return counts / max(len(self.items), 1)

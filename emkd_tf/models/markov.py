"""Markov: what followed the last item in the training data, smoothed by popularity."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from emkd_tf.config import Config
from emkd_tf.data.histories import Histories
from emkd_tf.models.item_to_item import (
    ItemToItem,
    actions_of,
    counted_from,
    popularity,
)


class Markov(ItemToItem):
    """Counts which item follows which.

    The score is that of the probability (count[i, j] + smoothing * popularity[j]) /
    (count[i] + smoothing) of item j after item i, without the denominator, which is
    the same for all j.

    Args:
        items: [actions] int32 item ids, user after user.
        starts, ends: [users] int64 bounds of each user's training part.
        num_items: V.
        smoothing: actions by popularity that are added to those after each item, > 0;
            below 1 / the largest share of an item it only orders what is else equal.
        max_length: L of the protocol `window`.
    """

    def __init__(
        self,
        items: np.ndarray,
        starts: np.ndarray,
        ends: np.ndarray,
        num_items: int,
        *,
        smoothing: float = 1.0,
        max_length: int,
    ):
        users, item_ids = actions_of(items, starts, ends)
        is_pair = users[:-1] == users[1:]
        pairs = (item_ids[:-1][is_pair] - 1, item_ids[1:][is_pair] - 1)
        counts = sparse.coo_array(
            (np.ones(len(pairs[0])), pairs), shape=(num_items, num_items)
        )
        super().__init__(
            counts.tocsr(),
            smoothing * popularity(item_ids, num_items),
            num_last=1,
            decay=1.0,
            max_length=max_length,
        )

    @classmethod
    def create(cls, config: Config, histories: Histories) -> Markov:
        """Counts the model of a config."""
        return cls(
            **counted_from(histories),
            smoothing=config.model.smoothing,
            max_length=config.data.max_length,
        )

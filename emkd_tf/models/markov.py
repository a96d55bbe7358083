"""Markov: what followed the last item in the training data, smoothed by popularity."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from emkd_tf.config import Config
from emkd_tf.data.histories import Histories
from emkd_tf.models.item_to_item import ItemToItem, TrainingActions


class Markov(ItemToItem):
    """Counts which item follows which.

    The score is the probability (count[i, j] + smoothing * popularity[j]) / (count[i] +
    smoothing) of item j after item i, without the denominator, which is the same for
    all j.

    Args:
        actions: to count.
        smoothing: number of actions, spread by popularity, added to those after each
            item, > 0; below 1 / the largest share of an item it only breaks ties.
        max_length: L of the protocol `window`.
    """

    def __init__(
        self, actions: TrainingActions, *, smoothing: float = 1.0, max_length: int
    ):
        is_pair = actions.users[:-1] == actions.users[1:]
        pairs = (actions.items[:-1][is_pair] - 1, actions.items[1:][is_pair] - 1)
        shape = (actions.num_items, actions.num_items)
        counts = sparse.coo_array((np.ones(len(pairs[0])), pairs), shape=shape)
        super().__init__(
            counts.tocsr(),
            smoothing * actions.popularity(),
            num_last=1,
            decay=1.0,
            max_length=max_length,
        )

    @classmethod
    def create(cls, config: Config, histories: Histories) -> Markov:
        """Counts the model of a config."""
        return cls(
            TrainingActions.of(histories),
            smoothing=config.model.smoothing,
            max_length=config.data.max_length,
        )

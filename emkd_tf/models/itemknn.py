"""ItemKNN: recommends items chosen by the same users as a history's last items."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from emkd_tf.config import Config
from emkd_tf.data.histories import Histories
from emkd_tf.models.item_to_item import ItemToItem, TrainingActions

_ROWS = 1024  # items whose neighbours are found at a time
_TIE_BREAK = 1e-9  # popularity orders items without a neighbour in the history


class ItemKNN(ItemToItem):
    """Measures the similarity of items by their users.

    Args:
        actions: to count.
        num_neighbours: most similar items kept per item, >= 1.
        shrinkage: added to the denominator of the cosine, >= 0, so that pairs with few
            users count less.
        num_last, decay: how many items of a history count, and how much less with age.
        max_length: L of the protocol `window`.

    Source: Sarwar et al. 2001, cosine of co-occurrence. Departure: weights by age.
    """

    def __init__(
        self,
        actions: TrainingActions,
        *,
        num_neighbours: int = 200,
        shrinkage: float = 20.0,
        num_last: int = 10,
        decay: float = 0.5,
        max_length: int,
    ):
        places = (actions.items - 1, actions.users)
        chosen = sparse.coo_array(
            (np.ones(len(actions.users), np.float32), places),
            shape=(actions.num_items, actions.num_users),
        ).tocsr()
        chosen.data[:] = 1.0  # repeated actions count once
        parts = [
            _nearest(chosen, first, num_neighbours, shrinkage)
            for first in range(0, actions.num_items, _ROWS)
        ]
        super().__init__(
            sparse.vstack(parts, format="csr"),
            _TIE_BREAK * actions.popularity(),
            num_last=num_last,
            decay=decay,
            max_length=max_length,
        )

    @classmethod
    def create(cls, config: Config, histories: Histories) -> ItemKNN:
        """Counts the model of a config."""
        names = ("num_neighbours", "shrinkage", "num_last", "decay")
        return cls(
            TrainingActions.of(histories),
            **{name: getattr(config.model, name) for name in names},
            max_length=config.data.max_length,
        )


def _nearest(
    chosen: sparse.csr_array, first: int, num_neighbours: int, shrinkage: float
) -> sparse.csr_array:
    """Returns the cosines [rows, V] of items from `first` on with their nearest."""
    sizes = chosen.sum(axis=1)
    together = (chosen[first : first + _ROWS] @ chosen.T).tocoo()
    rows, columns = together.coords
    product = np.sqrt(sizes[rows + first] * sizes[columns])
    cosines = together.data / (product + shrinkage)
    is_other = columns != rows + first
    rows, columns, cosines = rows[is_other], columns[is_other], cosines[is_other]
    order = np.lexsort((columns, -cosines, rows))  # each row's nearest first
    begins = np.searchsorted(rows[order], np.arange(together.shape[0]))
    place = np.arange(len(order)) - begins[rows[order]]
    kept = order[place < num_neighbours]
    return sparse.csr_array(
        (cosines[kept], (rows[kept], columns[kept])), shape=together.shape
    )

"""Derives weights for items that no training step has seen from their attributes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf
from scipy import sparse
from scipy.sparse import linalg

from emkd_tf.data.histories import Histories
from emkd_tf.models.recommender import Recommender

STRENGTH = 10.0  # of the regression; benchmarks/cold_items.py


class AttributeRegression(NamedTuple):
    """Predicts an item's row of a weight from its attributes.

    Rows y of known items are modelled as y = c + sum over an item's attributes of
    w[attribute] + noise, with c their mean and w from penalized least squares, which
    minimizes sum |y - c - w x|^2 + strength * |w|^2.

    Attributes:
        known: [V, A] attributes of the known items, 0 and 1.
        cold: [C, A] attributes of the cold items.
        strength: as above, > 0.

    Source: ridge regression (Hoerl and Kennard 1970).
    """

    known: sparse.csr_array
    cold: sparse.csr_array
    strength: float = STRENGTH

    @classmethod
    def of(cls, histories: Histories, num_known: int) -> AttributeRegression:
        """Treats items 1 to `num_known` as known and all later ones as cold."""
        values, offsets = histories.attribute_values, histories.attribute_offsets
        shape = (histories.num_items, histories.num_attributes)
        ones = np.ones(len(values))
        table = sparse.csr_array((ones, values, offsets), shape=shape)
        return cls(table[:num_known], table[num_known:])

    def rows(self, rows: np.ndarray) -> np.ndarray:
        """Predicts the rows [C, d] of the cold items from [V, d] of the known ones."""
        rows = rows.astype(np.float64)
        mean = rows.mean(axis=0)
        weights = [
            linalg.lsmr(self.known, column, damp=np.sqrt(self.strength))[0]
            for column in (rows - mean).T
        ]
        return mean + self.cold @ np.column_stack(weights)


def copy_weights(
    source: Recommender, target: Recommender, histories: Histories
) -> None:
    """Copies the weights of a trained model to one that has more items.

    Item tables hold a padding row, the items, and rows that are not items; the rows of
    cold items are predicted from their attributes.

    Args:
        source: with V items.
        target: with V + C items, otherwise the same.
        histories: with items V + 1 to V + C cold.
    """
    num_known = source.ensemble.num_items
    regression = AttributeRegression.of(histories, num_known)
    for old, new in zip(_weights(source), _weights(target), strict=True):
        values = old.numpy()
        if new.shape != old.shape:
            table = values.reshape([len(values), -1])
            known, others = table[1 : num_known + 1], table[num_known + 1 :]
            cold = regression.rows(known)
            values = np.concatenate([table[:1], known, cold, others])
        new.assign(values.reshape(new.shape))


def _weights(model: Recommender) -> list[tf.Variable]:
    return [weight for tower in model.towers for weight in tower.weights]

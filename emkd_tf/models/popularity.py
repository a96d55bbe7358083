"""PopRec: one ranking for everyone, by how often items were chosen."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.data.histories import Histories
from emkd_tf.models.ranker import ItemScores


class PopRec:
    """Scores an item by its count in the training parts of the histories.

    Args:
        item_counts: [V] counts of items 1..V (`Histories.training_item_counts`).
        history_length: number of newest items that form the `window` of the protocol.
    """

    knows_users = False

    def __init__(self, item_counts: np.ndarray, history_length: int):
        self.history_length = history_length
        self._item_counts = tf.constant(item_counts, tf.float32)

    @classmethod
    def create(cls, config: Config, histories: Histories) -> PopRec:
        """Counts the model of a config."""
        return cls(histories.training_item_counts(), config.data.max_length)

    def score_items(self, item_ids: np.ndarray) -> np.ndarray:
        """Returns the counts for each of B histories, [B, V] float64, items 1..V."""
        counts = self._item_counts.numpy().astype(np.float64)
        return np.tile(counts, (len(item_ids), 1))

    def user_vectors(
        self, item_ids: tf.Tensor, users: tf.Tensor | None = None
    ) -> tf.Tensor:
        """Returns ones [B, 1]: nothing about the user matters."""
        return tf.ones([tf.shape(item_ids)[0], 1])

    def item_vectors(self) -> tf.Tensor:
        """Returns the counts [V, 1]."""
        return self._item_counts[:, tf.newaxis]

    def members(self) -> dict[str, ItemScores]:
        """Returns nothing: there are no parts."""
        return {}

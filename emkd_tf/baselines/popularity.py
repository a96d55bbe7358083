"""PopRec: the same ranking for everyone, by how often an item was chosen."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


class PopRec:
    """Scores an item by its count in the training parts of the histories.

    Args:
        item_counts: [V] counts of items 1..V (`Histories.training_item_counts`).
        max_length: L, of which the last L - 1 items form the `window` of the protocol.
    """

    def __init__(self, item_counts: np.ndarray, max_length: int):
        self.max_length = max_length
        self._item_counts = tf.constant(item_counts, tf.float32)

    def user_vectors(self, item_ids: tf.Tensor) -> tf.Tensor:
        """Returns ones [B, 1]: nothing about the user counts."""
        return tf.ones([tf.shape(item_ids)[0], 1])

    def item_vectors(self) -> tf.Tensor:
        """Returns the counts [V, 1]."""
        return self._item_counts[:, tf.newaxis]

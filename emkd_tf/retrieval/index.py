"""A TFRS index over a recommender's item vectors."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

_LARGE = 1e4  # of a score; TFRS excludes by subtracting 1e5
# TFRS compares every retrieved item with every exclusion of its row: [B, k + W, W]
# booleans.
_MAX_COMPARISONS = 2**26


class EnsembleIndex:
    """Exact top-k of an ensemble in one lookup, by `tfrs.layers.factorized_top_k`.

    TFRS excludes an item by lowering its score by 1e5. Users whose scores may be large
    are therefore scaled down by powers of two, which changes no digit.

    Args:
        item_vectors: [V, D] float, items 1..V.
    """

    def __init__(self, item_vectors: tf.Tensor):
        self.num_items = int(item_vectors.shape[0])
        self._index = tfrs.layers.factorized_top_k.BruteForce()
        self._longest = _norms(item_vectors).max()
        self._index.index(item_vectors, tf.range(1, self.num_items + 1))

    def top_k(
        self, user_vectors: tf.Tensor, exclusions: np.ndarray, k: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Retrieves the best items that are not excluded.

        Args:
            user_vectors: [B, D] float.
            exclusions: [B, W] int32 item ids, each once, PAD_ID elsewhere.
            k: items wanted; fewer come back where k + W exceeds the catalogue.

        Returns:
            Scores [B, k'] float32 and item ids [B, k'] int32, best first, k' <= k.

        Raises:
            ValueError: W leaves no item.
        """
        width = exclusions.shape[1]
        k = min(k, self.num_items - width)
        if k < 1:
            raise ValueError(
                f"{width} exclusions leave none of {self.num_items} items."
            )
        scale = self._scale(user_vectors)
        user_vectors = user_vectors / scale
        rows = max(1, _MAX_COMPARISONS // max(1, width * (width + k)))
        parts = [
            self._index.query_with_exclusions(
                user_vectors[first : first + rows],
                tf.constant(exclusions[first : first + rows], tf.int32),
                k=k,
            )
            for first in range(0, user_vectors.shape[0], rows)
        ]
        scores, ids = zip(*parts, strict=True)
        return np.concatenate(scores) * scale, np.concatenate(ids)

    def _scale(self, user_vectors: tf.Tensor) -> np.ndarray:
        """Returns [B, 1] float32 powers of two, 1 where no score can be large."""
        largest = _norms(user_vectors)[:, np.newaxis] * self._longest
        exponent = np.ceil(np.log2(np.maximum(largest / _LARGE, 1.0)))
        return np.exp2(exponent).astype(np.float32)


def _norms(vectors: tf.Tensor) -> np.ndarray:
    return np.linalg.norm(np.asarray(vectors, np.float64), axis=1)

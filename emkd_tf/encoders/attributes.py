"""The attributes of an item as one vector."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from emkd_tf.encoders.initializers import normal
from emkd_tf.encoders.layers import Weights
from emkd_tf.special_ids import PAD_ID

_MASKED_LOGIT = -1e9  # finite: an item without attributes must not become NaN


class AttributeEmbedding(tf.keras.layers.Layer):
    """A learned vector for each attribute, looked up by item.

    Args:
        attribute_ids: [V + 2, K] int32, each item's attributes, numbered from 1,
            without repetition, PAD_ID elsewhere; see `data.attributes.attribute_ids`.
        num_attributes: A, >= 1.
        hidden_units: d.
        seed: of the initial weights.

    Call:
        item_ids: [n] int32.
        Returns [n, K, d] float, and [n, K] bool, False where there is no attribute; the
        vectors there are meaningless.

    See also `sums` and `sums_of_all`, which add up an item's vectors.
    """

    def __init__(
        self,
        attribute_ids: np.ndarray,
        num_attributes: int,
        hidden_units: int,
        seed: int,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.hidden_units = hidden_units
        # A constant: CPUs and GPUs both read it, and exports contain it.
        self._attribute_ids = tf.constant(attribute_ids, tf.int32)
        # The same without gaps: an item with many attributes does not widen the others.
        items, places = np.nonzero(attribute_ids != PAD_ID)
        self._pairs = tf.constant([items, attribute_ids[items, places]], tf.int32)
        self.vectors = self.add_weight(
            "attributes",
            [num_attributes + 1, hidden_units],
            initializer=normal(seed, "attributes"),
        )

    def call(self, item_ids: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        attribute_ids = tf.gather(self._attribute_ids, item_ids)
        return tf.gather(self.vectors, attribute_ids), attribute_ids != PAD_ID

    def sums(self, item_ids: tf.Tensor) -> tf.Tensor:
        """Returns the sum of each item's vectors, zero if it has none: [n] int32 to
        [n, d] float."""
        vectors, is_attribute = self(item_ids)
        return _weighted_sum(vectors, tf.cast(is_attribute, vectors.dtype))

    def sums_of_all(self) -> tf.Tensor:
        """Returns `sums` of all rows of `attribute_ids`, [V + 2, d]."""
        items, values = tf.unstack(self._pairs)
        vectors = tf.gather(self.vectors, values)
        rows = self._attribute_ids.shape[0]
        return tf.math.unsorted_segment_sum(vectors, items, rows)


class MeanPooling(tf.keras.layers.Layer):
    """The mean of an item's attributes; zero for an item without attributes.

    Args: as in `AttentionPooling`, but unused: a mean has no weights.

    Call:
        vectors: [n, K, d] float; is_attribute: [n, K] bool.
        Returns [n, d] float.
    """

    def __init__(self, hidden_units: int, seed: int, **kwargs: Any):
        super().__init__(**kwargs)

    def call(self, vectors: tf.Tensor, is_attribute: tf.Tensor) -> tf.Tensor:
        weights = tf.cast(is_attribute, vectors.dtype)
        count = tf.reduce_sum(weights, axis=1, keepdims=True)
        return _weighted_sum(vectors, tf.math.divide_no_nan(weights, count))


class AttentionPooling(tf.keras.layers.Layer):
    """Attributes weighted by softmax(v . relu(W a + b)); zero for an item without any.

    Args:
        hidden_units: d.
        seed: of the initial weights.

    Call: see `MeanPooling`.

    Source: Zhang et al. 2019 (FDSA), section 3.3. Departure: no constant added to
    v . x, since it would cancel in the softmax.
    """

    def __init__(self, hidden_units: int, seed: int, **kwargs: Any):
        super().__init__(**kwargs)
        weights = Weights("attribute_attention", seed)
        self.inner = weights.dense("inner", hidden_units, hidden_units)
        self.outer = weights.dense("outer", hidden_units, 1, use_bias=False)

    def call(self, vectors: tf.Tensor, is_attribute: tf.Tensor) -> tf.Tensor:
        # As rows: a product over three axes needs operations that exports do without.
        rows = tf.reshape(vectors, [-1, vectors.shape[-1]])
        logits = self.outer(tf.nn.relu(self.inner(rows)))
        logits = tf.reshape(logits, tf.shape(is_attribute))
        weights = tf.nn.softmax(tf.where(is_attribute, logits, _MASKED_LOGIT))
        weights *= tf.cast(is_attribute, weights.dtype)
        return _weighted_sum(vectors, weights)


POOLINGS: dict[str, type[MeanPooling] | type[AttentionPooling]] = {
    "attention": AttentionPooling,
    "mean": MeanPooling,
}


def _weighted_sum(vectors: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """[n, K, d] and [n, K] to [n, d]."""
    return tf.matmul(weights[:, tf.newaxis], vectors)[:, 0]

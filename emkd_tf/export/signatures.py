"""The functions of an exported model; stock operations and plain variables only."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from emkd_tf.models.emkd import EMKD
from emkd_tf.special_ids import PAD_ID


def newest_known(item_ids: tf.Tensor, length: int) -> tf.Tensor:
    """Moves the padding between and behind items to the front and cuts to the newest.

    Args:
        item_ids: [B, any] int32; PAD_ID at padding and at unknown items.
        length: items to keep.

    Returns:
        [B, min(any, length)] int32, left-padded, in the given order.
    """
    is_item = tf.cast(item_ids != PAD_ID, tf.int32)
    order = tf.argsort(is_item, axis=1, stable=True)
    return tf.gather(item_ids, order, batch_dims=1)[:, -length:]


class Retriever(tf.Module):
    """Recommends the top k items for histories of raw ids, history excluded.

    Args:
        model: whose weights are exported, without a copy of any table.
        vocabulary: text file of the raw ids of items 1..V, one a line.
        k: items to return, cut to the catalogue.
    """

    def __init__(self, model: EMKD, vocabulary: Path, k: int):
        super().__init__(name="retriever")
        # The variables are tracked, the Keras layers are not: no trace of Keras is
        # saved.
        self.weights = [w for n in model.networks for w in n.serving_variables()]
        index = tf.lookup.TextFileIndex
        self.to_number = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(
                str(vocabulary),
                tf.string,
                index.WHOLE_LINE,
                tf.int64,
                index.LINE_NUMBER,
            ),
            default_value=-1,
        )
        self.to_text = tf.lookup.StaticHashTable(
            tf.lookup.TextFileInitializer(
                str(vocabulary),
                tf.int64,
                index.LINE_NUMBER,
                tf.string,
                index.WHOLE_LINE,
            ),
            default_value="",
        )
        k = min(k, model.num_items)

        def recommend(history: tf.Tensor) -> dict[str, tf.Tensor]:
            item_ids = tf.cast(self.to_number.lookup(history) + 1, tf.int32)
            scores = _scores(model, newest_known(item_ids, model.max_length - 1))
            low = scores.dtype.min  # finite: JSON has no -Infinity
            scores = tf.tensor_scatter_nd_update(
                scores, _places(item_ids), tf.fill([tf.size(item_ids)], low)
            )
            # Column 0 is padding. It is also where the padding of histories was
            # scattered.
            top, columns = tf.math.top_k(scores[:, 1:], k)
            numbers = tf.cast(columns, tf.int64)
            texts = self.to_text.lookup(numbers)
            return {"item_ids": tf.where(top > low, texts, ""), "scores": top}

        self.recommend = tf.function(
            recommend,
            input_signature=[tf.TensorSpec([None, None], tf.string, "history")],
        )


def _scores(model: EMKD, item_ids: tf.Tensor) -> tf.Tensor:
    """[B, length] to [B, V + 1]: the sum of the networks' logits, table by table."""
    states = model.network_states(item_ids)
    return tf.add_n(
        [n.item_logits(s) for n, s in zip(model.networks, states, strict=True)]
    )


def _places(item_ids: tf.Tensor) -> tf.Tensor:
    """[B, any] ids to the [B * any, 2] places of their scores."""
    batch, length = tf.unstack(tf.shape(item_ids))
    rows = tf.repeat(tf.range(batch), length)
    return tf.stack([rows, tf.reshape(item_ids, [-1])], axis=1)

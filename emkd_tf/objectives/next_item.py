"""Next item prediction: every position of a history scores the item that came next."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.objectives.masked_item import masked_item_loss
from emkd_tf.special_ids import PAD_ID


def next_item_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Scores the item that came next: -log softmax(logits)[label].

    Args:
        logits: [T, V + 1] float, one row per position of a history.
        labels: [T] int32, the next items, PAD_ID where there is none.

    Returns:
        [T] float, cross entropy in nats; zero without a label.

    Source: Kang and McAuley 2018, section 3.5, for the labels. Departure: the softmax
    over all items instead of one negative item, as in Klenitskiy and Vasilev 2023.
    """
    loss = masked_item_loss(logits, labels)
    return tf.where(labels != PAD_ID, loss, tf.zeros_like(loss))


def place_weights(labels: tf.Tensor, expected_count: float) -> tf.Tensor:
    """Returns the weight of each position in the loss of a batch.

    Dividing by a batch's own number of labels instead of the expected one would give
    positions of short histories more weight than positions of long ones, as soon as
    histories of similar length are batched together.

    Args:
        labels: [T] int32, PAD_ID where there is none.
        expected_count: average number of labels per batch over the training data.

    Returns:
        [T] float32, 1 / expected_count where there is a label, else 0.
    """
    return tf.where(labels != PAD_ID, 1.0 / expected_count, 0.0)

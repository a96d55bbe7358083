"""What is hidden of a row: the last item always, the others with a probability."""

import numpy as np
import tensorflow as tf

from emkd_tf.data.examples.hide import HideItems

V, L = 30, 8


def hide(item_ids, probability=0.2, seed=1):
    transform = HideItems(V, L, probability)
    draws = [
        transform.draw(tf.constant([seed, row], tf.int64))
        for row in range(len(item_ids))
    ]
    batch = {"item_ids": tf.constant(item_ids, tf.int32)}
    batch = transform(batch, tf.stack(draws))
    return [batch[name].numpy() for name in ("item_ids", "hidden", "labels")]


def rows(count):
    rng = np.random.default_rng(0)
    item_ids = rng.integers(1, V + 1, size=(count, L))
    lengths = rng.integers(1, L + 1, size=count)
    return np.where(np.arange(L) >= L - lengths[:, np.newaxis], item_ids, 0)


def test_the_last_item_is_always_hidden_and_padding_never():
    item_ids, hidden, labels = hide(rows(200))
    np.testing.assert_array_equal(item_ids, rows(200))
    assert (hidden[:, -1] == V + 1).all()
    np.testing.assert_array_equal(hidden == V + 1, labels > 0)
    np.testing.assert_array_equal(labels[labels > 0], item_ids[labels > 0])
    np.testing.assert_array_equal(hidden[labels == 0], item_ids[labels == 0])


def test_the_others_are_hidden_as_often_as_the_probability_says():
    _, _, labels = hide(np.full([1500, L], 3), 0.2)
    share = (labels[:, :-1] > 0).mean()
    assert abs(share - 0.2) < 5 * (0.2 * 0.8 / (1500 * (L - 1))) ** 0.5

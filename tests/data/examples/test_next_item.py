"""Next items, by hand."""

import numpy as np
import tensorflow as tf

from emkd_tf.data.examples.next_item import NextItem

ROWS = [[0, 0, 4, 9, 9], [3, 1, 2, 7, 5], [0, 0, 0, 0, 6], [0, 0, 0, 8, 2]]


def transform(**options):
    batch = {"item_ids": tf.constant(ROWS, tf.int32), "row": tf.range(4)}
    found = NextItem(**options)(batch, ())
    assert found["row"] is batch["row"]
    return found["item_ids"].numpy(), found["labels"].numpy()


def test_a_label_is_the_item_after():
    item_ids, labels = transform()
    np.testing.assert_array_equal(
        item_ids, [[0, 0, 4, 9], [3, 1, 2, 7], [0, 0, 0, 0], [0, 0, 0, 8]]
    )
    np.testing.assert_array_equal(
        labels, [[0, 0, 9, 9], [1, 2, 7, 5], [0, 0, 0, 0], [0, 0, 0, 2]]
    )
    assert item_ids.dtype == labels.dtype == np.int32


def test_only_the_last_place_of_a_prefix():
    item_ids, labels = transform(only_last=True)
    np.testing.assert_array_equal(item_ids, transform()[0])
    np.testing.assert_array_equal(
        labels, [[0, 0, 0, 9], [0, 0, 0, 5], [0, 0, 0, 0], [0, 0, 0, 2]]
    )

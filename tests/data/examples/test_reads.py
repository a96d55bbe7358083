"""What batches read of the histories, against slices of them."""

import numpy as np
import tensorflow as tf

from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.examples.reads import HostReads
from emkd_tf.data.examples.rows import Shift
from emkd_tf.data.examples.same_target import SameTarget
from emkd_tf.data.examples.teacher_lists import TeacherLists

L, K = 3, 2
ITEMS = np.array([5, 6, 7, 8, 9, 1, 8, 2, 4, 8], np.int32)
STARTS, ENDS = np.array([0, 5, 7]), np.array([5, 7, 10])
ROWS = Shift(STARTS, ENDS, L)
LISTS = np.arange(1, 2 * len(ITEMS) + 1, dtype=np.int32).reshape(-1, K)
READS = HostReads(
    ITEMS,
    Examples(
        ROWS,
        [],
        same_target=SameTarget(ROWS, ITEMS),
        lists=TeacherLists(LISTS, LISTS.astype(np.float32)),
        training_bounds=(STARTS, ENDS - 1),
    ),
)
NUMBERS = tf.constant([2, 0], tf.int64)


def test_items_are_the_last_of_a_history():
    item_ids = READS.item_ids(NUMBERS)
    assert item_ids.shape == [2, L + 1]
    assert item_ids.numpy().tolist() == [[0, 2, 4, 8], [6, 7, 8, 9]]


def test_users_are_those_of_the_rows():
    assert READS.users(NUMBERS).numpy().tolist() == [2, 0]


def test_training_items_are_all_that_the_user_chose_there():
    items = READS.training_items(NUMBERS).numpy().tolist()
    assert items == [[0, 0, 2, 4], [5, 6, 7, 8]]


def test_a_partner_has_the_same_last_item():
    draws = tf.zeros([2], tf.int32)
    # Rows 1 and 2 end with item 8; no other row ends with item 9.
    assert READS.partners(NUMBERS, draws).numpy().tolist() == [1, 0]


def test_lists_are_those_of_the_labels():
    items, scores = READS.lists(NUMBERS)
    expected = [[[0, 0], LISTS[8].tolist(), LISTS[9].tolist()], LISTS[2:5].tolist()]
    assert items.numpy().tolist() == expected
    np.testing.assert_array_equal(scores, np.array(expected, np.float32))

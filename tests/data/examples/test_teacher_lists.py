"""Lists of a teacher: each stands where its place has its label."""

import numpy as np
import pytest

from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.examples.next_item import NextItem
from emkd_tf.data.examples.rows import Prefix, Shift, Whole
from emkd_tf.data.examples.stream import Stream
from emkd_tf.data.examples.teacher_lists import TeacherLists

L, K = 4, 3
STARTS, ENDS = np.array([0, 6, 8]), np.array([6, 8, 13])
ITEMS = np.arange(1, 14, dtype=np.int32)  # the item of action p is p + 1


@pytest.fixture
def lists():
    """The list of action p holds 10 p + 1, 10 p + 2, 10 p + 3, with these / 7."""
    items = 10 * np.arange(13)[:, np.newaxis] + np.arange(1, K + 1)
    return TeacherLists(items.astype(np.int32), (items / 7).astype(np.float32))


@pytest.mark.parametrize("kind", [Shift, Whole, Prefix])
def test_a_label_and_its_list_are_of_one_action(lists, kind):
    rows, only_last = kind(STARTS, ENDS, L), kind is Prefix
    lists = TeacherLists(lists.items, lists.scores, only_last)
    examples = Examples(rows, [NextItem(only_last)], lists=lists)
    stream = Stream(ITEMS, examples, batch_size=3, num_steps=6, seed=0)
    seen = set()
    for batch in stream.batches():
        labels = batch["labels"].numpy()
        items, scores = batch["list_items"].numpy(), batch["list_scores"].numpy()
        assert items.shape == scores.shape == (3, L, K)
        np.testing.assert_array_equal(items[labels == 0], 0)
        np.testing.assert_array_equal(scores[labels == 0], 0)
        action = labels[labels > 0] - 1
        expected = 10 * action[:, np.newaxis] + np.arange(1, K + 1)
        np.testing.assert_array_equal(items[labels > 0], expected)
        np.testing.assert_allclose(scores[labels > 0], expected / 7, rtol=1e-6)
        seen |= set(action.tolist())
    of_all = {p for s, e in zip(STARTS, ENDS, strict=True) for p in range(s + 1, e)}
    oldest = {1} if kind is Shift else set()  # beyond the last L places of six items
    assert seen == of_all - oldest


def test_a_stream_that_is_entered_later_has_the_same_lists(lists):
    examples = Examples(Shift(STARTS, ENDS, L), [NextItem()], lists=lists)
    stream = Stream(ITEMS, examples, batch_size=3, num_steps=6, seed=0)
    whole = [batch["list_items"].numpy() for batch in stream.batches()]
    later = [batch["list_items"].numpy() for batch in stream.batches(4)]
    np.testing.assert_array_equal(whole[4:], later)

"""Segments against slices of the rows, and where the foreign ones come from."""

import numpy as np
import tensorflow as tf

from emkd_tf.data.examples.segments import Segments

V, L, MASK = 90, 9, 91
# Items of training parts are 1 to 60 in order, held-out ones 61 and above.
LENGTHS = np.array([5, 0, 12, 3, 7, 1, 32])
STARTS = np.cumsum(LENGTHS + 2) - LENGTHS - 2
ENDS = STARTS + LENGTHS
ITEMS = np.zeros(LENGTHS.sum() + 2 * len(LENGTHS), np.int32) + 61
for start, end, first in zip(STARTS, ENDS, np.cumsum(LENGTHS) - LENGTHS, strict=True):
    ITEMS[start:end] = 1 + np.arange(first, first + end - start)


def cut(sizes, seed=2):
    """Rows of so many items from 60 down to 52: (rows, context, segment, other)."""
    transform = Segments(ITEMS, STARTS, ENDS, V)
    rows = np.zeros([len(sizes), L], np.int32)
    for row, size in zip(rows, sizes, strict=True):
        row[L - size :] = 60 - np.arange(size)
    draws = [
        transform.draw(tf.constant([seed, n], tf.int64)) for n in range(len(sizes))
    ]
    batch = transform({"item_ids": tf.constant(rows)}, tf.stack(draws))
    names = ("context", "segment", "other_segment")
    return rows, *(batch[name].numpy() for name in names)


def test_a_row_is_its_context_and_its_segment():
    sizes = np.tile(np.arange(2, L + 1), 60)
    for row, context, segment, other in zip(*cut(sizes), strict=True):
        is_item, is_span = row > 0, (segment != MASK) & (row > 0)
        is_rest = is_item & ~is_span
        places = np.flatnonzero(is_span)
        assert 1 <= len(places) <= is_item.sum() // 2
        np.testing.assert_array_equal(places, np.arange(places[0], places[-1] + 1))
        np.testing.assert_array_equal(segment[is_span], row[is_span])
        np.testing.assert_array_equal(context[is_rest], row[is_rest])
        assert (context[is_span] == MASK).all()
        assert (other[is_rest] == MASK).all()
        for part in (context, segment, other):
            assert (part[~is_item] == 0).all()


def test_other_segments_are_spans_of_the_training_parts_alone():
    """Also across the end of a part, as if all were one."""
    sizes = np.tile([6, 9], 1000)
    rows, _, segment, other = cut(sizes)
    starts = []
    for row, mine, foreign in zip(rows, segment, other, strict=True):
        items = foreign[(row > 0) & (mine != MASK)]
        assert (np.diff(items) == 1).all()
        assert 1 <= items[0] <= items[-1] <= 60
        starts.append(items[0])
    assert set(starts) == set(range(1, 61))


def test_every_length_and_place_comes_as_often():
    """Of six items: lengths 1 to 3, each a third; places of a length alike."""
    _, _, segment, _ = cut(np.full(3000, 6))
    is_span = (segment != MASK) & (segment > 0)
    lengths, first = is_span.sum(axis=1), is_span.argmax(axis=1) - (L - 6)
    for length in (1, 2, 3):
        share = (lengths == length).mean()
        assert abs(share - 1 / 3) < 5 * (2 / 9 / 3000) ** 0.5
        places = np.bincount(first[lengths == length], minlength=7 - length)
        expected = 1 / (7 - length)
        error = (expected * (1 - expected) / places.sum()) ** 0.5
        assert (np.abs(places / places.sum() - expected) < 5 * error).all()


def test_a_row_of_one_item_stays_what_it_is():
    rows, *parts = cut(np.ones(5, int))
    for part in parts:
        np.testing.assert_array_equal(part, rows)


def test_on_the_device_segments_are_the_same():
    host = Segments(ITEMS, STARTS, ENDS, V)
    rows = tf.range(60, 60 - L, -1) * tf.ones([200, 1], tf.int32)
    draws = [host.draw(tf.constant([1, n], tf.int64)) for n in range(200)]
    expected = host({"item_ids": rows}, tf.stack(draws))
    found = host.on_device()({"item_ids": rows}, tf.stack(draws))
    for name, items in expected.items():
        np.testing.assert_array_equal(items, found[name])

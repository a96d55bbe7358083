"""Augmented views against loops."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.data.examples.augmentations import (
    Augmentations,
    _two_operators,
    crop,
    mask,
    reorder,
)
from emkd_tf.special_ids import mask_id

V, L, B = 60, 12, 400
SHARES = [0.0, 0.3, 0.6, 1.0]


def rows_of(seed=0):
    """Rows of all lengths, none of whose items is there twice."""
    rng = np.random.default_rng(seed)
    rows = np.array([rng.permutation(V)[:L] + 1 for _ in range(B)], np.int32)
    for number, row in enumerate(rows):
        row[: number % (L + 1)] = 0
    place, keys = rng.random(B), rng.random((B, L))
    return rows, place.astype(np.float32), keys.astype(np.float32)


def count_of(items, share):
    return int(share * len(items) + 1e-9)


@pytest.mark.parametrize("share", SHARES)
def test_crop_keeps_a_run(share):
    rows, place, _ = rows_of()
    found = crop(tf.constant(rows), tf.constant(place), share).numpy()
    starts = set()
    for row, p, view in zip(rows, place, found, strict=True):
        items = row[row > 0].tolist()
        count = max(1, count_of(items, share)) if items else 0
        start = int(p * (len(items) - count + 1))
        expected = items[start : start + count]
        assert view.tolist() == [0] * (L - count) + expected
        if len(items) == L:
            starts.add(start)
    count = max(1, int(share * L))
    assert starts == set(range(L - count + 1))


@pytest.mark.parametrize("share", SHARES)
def test_mask_hides_the_lowest_keys(share):
    rows, _, keys = rows_of()
    found = mask(tf.constant(rows), tf.constant(keys), share, mask_id(V)).numpy()
    for row, key, view in zip(rows, keys, found, strict=True):
        at = np.flatnonzero(row)
        lowest = at[np.argsort(key[at])][: count_of(at, share)]
        expected = row.copy()
        expected[lowest] = V + 1
        np.testing.assert_array_equal(view, expected)


@pytest.mark.parametrize("share", SHARES)
def test_reorder_sorts_a_run_and_keeps_every_item(share):
    rows, place, keys = rows_of()
    tensors = tf.constant(rows), tf.constant(place), tf.constant(keys)
    found = reorder(*tensors, share).numpy()
    for row, p, key, view in zip(rows, place, keys, found, strict=True):
        items, of_items = row[row > 0], key[row > 0]
        count = count_of(items, share)
        start = int(p * (len(items) - count + 1))
        run = slice(start, start + count)
        items[run] = items[run][np.argsort(of_items[run])]
        np.testing.assert_array_equal(view[L - len(items) :], items)
        assert sorted(view) == sorted(row)


def augment(rows, seed=3):
    transform = Augmentations(V, rows.shape[1], 0.6, 0.3, 0.6)
    seeds = [tf.constant([seed, n], tf.int64) for n in range(len(rows))]
    draws = tf.stack([transform.draw(s) for s in seeds])
    batch = {"item_ids": tf.constant(rows), "row": tf.range(len(rows))}
    found = transform(batch, draws)
    np.testing.assert_array_equal(found["item_ids"], rows)
    return found["views"].numpy()


def test_rows_of_one_item_stay_and_others_change():
    rows = np.zeros((30, L), np.int32)
    rows[:, -1] = np.arange(30) + 1
    np.testing.assert_array_equal(augment(rows), np.stack([rows, rows], axis=1))
    rows, *_ = rows_of()
    views = augment(rows)
    assert views.dtype == np.int32
    full = rows[:, 0] > 0
    assert (views[full] != rows[full, None]).any(axis=-1).mean() > 0.9
    np.testing.assert_array_equal(views, augment(rows))
    assert (views != augment(rows, seed=4)).any()


def test_the_two_operators_differ_and_all_pairs_come_equally_often():
    draws = np.random.default_rng(0).random((60_000, 2)).astype(np.float32)
    pairs = np.stack(_two_operators(tf.constant(draws)), axis=1)
    found, counts = np.unique(pairs, axis=0, return_counts=True)
    assert found.tolist() == [[0, 1], [0, 2], [1, 0], [1, 2], [2, 0], [2, 1]]
    assert np.abs(counts - 10_000).max() < 5 * np.sqrt(10_000)

"""An exact number of hidden items, and rows that hide the last one alone."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.data.examples.masked_items import MaskedItems
from emkd_tf.special_ids import mask_id

V, L = 30, 10


def mask(share=0.3, last_only_share=0.0, copies=300, seed=0):
    """Rows of 0 to 10 items; [copies, 11, L] rows, views and labels."""
    rng = np.random.default_rng(0)
    rows = rng.integers(1, V + 1, size=(L + 1, L))
    rows[np.arange(L) < L - np.arange(L + 1)[:, np.newaxis]] = 0
    rows = np.tile(rows, (copies, 1))
    masked = MaskedItems(V, L, share, last_only_share)
    seeds = tf.stack(
        [tf.ones(len(rows), tf.int64), seed + tf.range(len(rows), dtype=tf.int64)], 1
    )
    draws = tf.map_fn(masked.draw, seeds, fn_output_signature=tf.float32)
    batch = masked({"item_ids": tf.constant(rows, tf.int32)}, draws)
    found = (rows, batch["views"].numpy()[:, 0], batch["labels"].numpy()[:, 0])
    return [x.reshape(copies, L + 1, L) for x in found]


@pytest.mark.parametrize("share", [0.04, 0.3, 0.6])
def test_the_number_is_exact_and_every_item_has_its_turn(share):
    rows, views, labels = mask(share)
    for n in range(1, L + 1):
        expected = max(1, round(share * n))
        assert expected <= MaskedItems(V, L, share).most
        assert (np.count_nonzero(labels[:, n], axis=1) == expected).all()
        frequency = (labels[:, n] > 0).mean(axis=0)[L - n :]
        np.testing.assert_allclose(frequency, expected / n, atol=0.13)
    np.testing.assert_array_equal(np.where(labels > 0, labels, views), rows)
    np.testing.assert_array_equal(views == mask_id(V), labels > 0)


@pytest.mark.parametrize(("length", "share"), [(90, 0.35), (190, 0.15), (50, 0.05)])
def test_the_most_is_what_a_full_row_hides_where_floats_round(length, share):
    masked = MaskedItems(V, length, share)
    rows = tf.ones([1, length], tf.int32)
    batch = masked({"item_ids": rows}, masked.draw([0, 0])[tf.newaxis])
    assert np.count_nonzero(batch["labels"]) == masked.most


def test_some_rows_hide_the_last_item_alone():
    _, _, labels = mask(0.5, last_only_share=0.25, copies=200)
    alone = (labels[:, 6:, :-1] == 0).all(axis=2)  # several are hidden otherwise
    assert (labels[:, 6:, -1][alone] > 0).all()
    assert abs(alone.mean() - 0.25) < 0.06
    assert (mask(0.5, last_only_share=1.0, copies=2)[2][:, 1:, :-1] == 0).all()


def test_seeds_replay():
    first, same, other = mask(copies=2), mask(copies=2), mask(copies=2, seed=99)
    np.testing.assert_array_equal(first, same)
    assert (first[1] != other[1]).any()

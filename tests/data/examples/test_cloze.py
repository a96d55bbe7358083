"""Masked views: what they keep, how often they hide, and that they can be replayed."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.data.examples.cloze import Cloze, mask_items
from emkd_tf.special_ids import mask_id

V = 50


def mask(item_ids, seed=(1, 2), num_views=2, num_items=V, probability=0.3, **options):
    item_ids = tf.constant(item_ids, tf.int32)
    cloze = Cloze(num_items, item_ids.shape[-1], num_views, probability, **options)
    draws = cloze.draw(tf.constant(seed, tf.int64))
    batch = cloze({"item_ids": item_ids, "row": 3}, draws)
    assert batch["row"] == 3
    return batch["views"].numpy(), batch["labels"].numpy()


ITEM_IDS = [0, 0, 0, 7, 3, 50, 1, 7, 9]


def test_the_sequence_can_be_rebuilt_and_padding_stays():
    views, labels = mask(ITEM_IDS, num_views=200)
    np.testing.assert_array_equal(
        np.where(labels > 0, labels, views), np.tile(ITEM_IDS, (200, 1))
    )
    assert not labels[:, :3].any()
    assert not views[:, :3].any()
    assert labels[:, 3:].any(axis=0).all()


def test_shares_of_what_happens_to_items():
    length, probability = 400, 0.2
    rng = np.random.default_rng(0)
    item_ids = rng.integers(1, V + 1, size=length)
    views, labels = mask(item_ids, num_views=500, probability=probability)

    def is_close(flags, expected):
        error = np.sqrt(expected * (1 - expected) / flags.size)
        return abs(flags.mean() - expected) < 4 * error

    chosen = labels > 0
    assert is_close(chosen, probability)
    what, was = views[chosen], labels[chosen]
    assert is_close(what == mask_id(V), 0.8)
    # A random item is the old one once in V.
    assert is_close((what != mask_id(V)) & (what != was), 0.1 * (1 - 1 / V))
    assert is_close(what == was, 0.1 + 0.1 / V)


def test_random_items_reach_the_first_and_the_last():
    views, labels = mask([2] * 300, num_views=50, num_items=3, probability=0.9)
    replaced = views[(labels > 0) & (views != mask_id(3))]
    assert set(replaced.tolist()) == {1, 2, 3}


def test_views_differ_and_seeds_replay():
    views, _ = mask(ITEM_IDS * 5, num_views=2)
    assert (views[0] != views[1]).any()
    np.testing.assert_array_equal(views, mask(ITEM_IDS * 5, num_views=2)[0])
    assert (views != mask(ITEM_IDS * 5, seed=(1, 3), num_views=2)[0]).any()


def test_a_view_does_not_depend_on_the_number_of_views():
    few, many = mask(ITEM_IDS, num_views=2), mask(ITEM_IDS, num_views=5)
    for a, b in zip(few, many, strict=True):
        np.testing.assert_array_equal(a, b[:2])


def test_inside_a_dataset_it_gives_the_same():
    def both(row):
        draws = Cloze(V, 9, 2, 0.3).draw(tf.constant([1, 2], tf.int64))
        return mask_items(row, draws, num_items=V, mask_probability=0.3)

    rows = tf.data.Dataset.from_tensors(tf.constant(ITEM_IDS, tf.int32)).map(both)
    for mapped, eager in zip(next(iter(rows)), mask(ITEM_IDS), strict=True):
        np.testing.assert_array_equal(mapped, eager)


@pytest.mark.parametrize("item_ids", [[0, 0, 4], [0, 5, 6], [1, 2, 3]])
def test_at_least_one(item_ids):
    _, labels = mask(item_ids, num_views=300, probability=0.01, at_least_one=True)
    assert (np.count_nonzero(labels, axis=1) >= 1).all()
    # The one is any of the items, not always the same.
    assert (labels.any(axis=0) == (np.array(item_ids) > 0)).all()
    _, plain = mask(item_ids, num_views=300, probability=0.01)
    assert (np.count_nonzero(plain, axis=1) == 0).any()


def test_padding_alone_has_nothing_to_choose():
    _, labels = mask([0, 0, 0], num_views=9, at_least_one=True)
    assert not labels.any()

"""Negatives: what they leave out, how often the others come, and their replay."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.data.examples.negatives import Negatives, items_outside

V = 12
ITEM_IDS = np.array([[0, 3, 3, 7], [1, 2, 12, 5]], np.int32)
LABELS = np.array([[0, 3, 7, 12], [2, 12, 5, 1]], np.int32)
VIEWS = np.stack([LABELS, np.zeros_like(LABELS), ITEM_IDS], axis=1)  # [2, 3, 4]


def draw(labels, count=4000, seed=5, outside="label", **more):
    views = labels.shape[1] if labels.ndim == 3 else None
    negatives = Negatives(V, count, 4, views, outside)
    draws = [negatives.draw(tf.constant([seed, n], tf.int64)) for n in range(2)]
    batch = {"item_ids": tf.constant(ITEM_IDS), "labels": tf.constant(labels)} | more
    found = negatives(batch, tf.stack(draws))["negatives"].numpy()
    assert found.shape == (*labels.shape, count)
    assert found.dtype == np.int32
    return found


def require_uniform(found, allowed):
    """Within five standard errors."""
    shares = np.bincount(found.ravel(), minlength=V + 1) / found.size
    expected = np.isin(np.arange(V + 1), allowed) / len(allowed)
    error = np.sqrt(expected * (1 - expected) / found.size)
    assert (np.abs(shares - expected) <= 5 * error).all(), shares


@pytest.mark.parametrize("labels", [LABELS, VIEWS])
def test_all_items_but_the_label_come_equally_often(labels):
    found = draw(labels)
    for place in np.ndindex(labels.shape):
        allowed = set(range(1, V + 1)) - {int(labels[place])}
        require_uniform(found[place], sorted(allowed))


def test_outside_the_row_all_other_items_come_equally_often():
    found = draw(LABELS, outside="row")
    for n, taken in enumerate(({3, 7, 12}, {1, 2, 5, 12})):
        require_uniform(found[n], sorted(set(range(1, V + 1)) - taken))


def test_outside_what_the_user_chose_all_other_items_come_equally_often():
    chosen = tf.constant([[0, 3, 7, 12, 9], [4, 1, 2, 5, 12]])
    found = draw(LABELS, outside="user", training_items=chosen)
    for n, taken in enumerate(({3, 7, 9, 12}, {1, 2, 4, 5, 12})):
        require_uniform(found[n], sorted(set(range(1, V + 1)) - taken))


def test_each_place_of_the_drawing_is_an_item_outside():
    """Against a list of them."""
    rng = np.random.default_rng(1)
    left_out = rng.integers(0, 41, size=(50, 25)).astype(np.int32)
    draws = rng.integers(0, 2**31 - 1, size=(50, 30)).astype(np.int32)
    found = items_outside(tf.constant(left_out), tf.constant(draws), 40).numpy()
    for taken, numbers, items in zip(left_out, draws, found, strict=True):
        outside = np.setdiff1d(np.arange(1, 41), taken)
        np.testing.assert_array_equal(items, outside[numbers % len(outside)])


def test_a_set_of_all_items_still_gives_an_item():
    left_out = tf.constant([[1, 2, 3]])
    assert items_outside(left_out, tf.constant([[0, 1, 2]]), 3).numpy().max() <= 3


def test_seeds_decide():
    np.testing.assert_array_equal(draw(LABELS, 20), draw(LABELS, 20))
    assert (draw(LABELS, 20) != draw(LABELS, 20, seed=6)).any()
    first = draw(np.stack([LABELS, LABELS], axis=1), 20)
    assert (first[:, 0] != first[:, 1]).any()

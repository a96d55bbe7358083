"""The TFRS index against brute force, with exclusions and ties."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.retrieval import index as module
from emkd_tf.retrieval.index import EnsembleIndex


def brute_force(scores, excluded, k):
    """Best items that are not excluded; a tie goes to the lower id."""
    order = sorted(range(1, len(scores) + 1), key=lambda i: (-scores[i - 1], i))
    return [item for item in order if item not in excluded][:k]


@pytest.mark.parametrize("levels", [2, 100])
@pytest.mark.parametrize("width", [1, 6])
def test_equals_brute_force(levels, width):
    rng = np.random.default_rng(width)
    users = rng.integers(levels, size=(25, 2)).astype(np.float32)
    items = rng.integers(levels, size=(40, 2)).astype(np.float32)
    exclusions = np.array([rng.permutation(41)[:width] for _ in range(25)])
    scores, ids = EnsembleIndex(tf.constant(items)).top_k(
        tf.constant(users), exclusions, 10
    )
    for row in range(25):
        expected = users[row] @ items.T
        best = brute_force(expected, set(exclusions[row]), 10)
        # Equal scores may come in any order.
        np.testing.assert_array_equal(scores[row], [expected[i - 1] for i in best])
        np.testing.assert_array_equal(expected[ids[row] - 1], scores[row])
        assert not set(ids[row]) & set(exclusions[row])
        assert len(set(ids[row])) == 10


def test_large_exclusions_are_split_without_a_difference(monkeypatch):
    rng = np.random.default_rng(0)
    index = EnsembleIndex(tf.constant(rng.normal(size=(30, 3)), tf.float32))
    users = tf.constant(rng.normal(size=(11, 3)), tf.float32)
    exclusions = np.array([rng.permutation(30)[:9] for _ in range(11)])
    whole = index.top_k(users, exclusions, 5)
    monkeypatch.setattr(module, "_MAX_COMPARISONS", 300)
    parts = index.top_k(users, exclusions, 5)
    np.testing.assert_allclose(whole[0], parts[0], rtol=1e-6)
    np.testing.assert_array_equal(whole[1], parts[1])


def test_a_small_catalogue_gives_what_is_left_and_none_is_an_error():
    index = EnsembleIndex(tf.constant([[1.0], [3.0], [2.0]]))
    one = tf.ones([1, 1])
    assert index.top_k(one, np.array([[2]]), 10)[1].tolist() == [[3, 1]]
    with pytest.raises(ValueError, match="leave none"):
        index.top_k(one, np.array([[1, 2, 3]]), 1)

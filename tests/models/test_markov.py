"""Markov against counting by hand."""

import itertools

import numpy as np
import pytest

from emkd_tf.models.item_to_item import TrainingActions
from emkd_tf.models.markov import Markov


def fitted(histories, num_items, **options):
    """Trains on all of each history but its last two items, as a split does."""
    offsets = np.cumsum([0, *map(len, histories)])
    items = np.concatenate(histories).astype(np.int32)
    bounds = (offsets[:-1], offsets[1:] - 2)
    actions = TrainingActions.between(items, *bounds, num_items)
    return Markov(actions, max_length=9, **options)


def test_what_followed_by_hand():
    # In the training parts: 1>2, 2>1, 1>2 and 1>3; never what is held out.
    model = fitted([[1, 2, 1, 2, 4, 4], [1, 3, 4, 2]], 4, smoothing=6.0)
    scores = model.score_items(np.array([[0, 0, 0], [2, 3, 1], [3, 2, 4]], np.int32))
    popularity = np.array([3, 2, 1, 0])
    np.testing.assert_allclose(scores[0], popularity)
    np.testing.assert_allclose(scores[1], np.array([0, 2, 1, 0]) + popularity)
    np.testing.assert_allclose(scores[2], popularity)


def test_the_order_is_that_of_the_smoothed_probability():
    rng = np.random.default_rng(0)
    histories = [rng.integers(1, 9, rng.integers(3, 12)).tolist() for _ in range(50)]
    model = fitted(histories, 8, smoothing=2.0)
    training = [history[:-2] for history in histories]
    shares = np.bincount(np.concatenate(training).astype(int), minlength=9)[1:]
    shares = shares / shares.sum()
    for last in range(1, 9):
        after = [
            two
            for history in training
            for one, two in itertools.pairwise(history)
            if one == last
        ]
        counts = np.bincount(after, minlength=9)[1:]
        probability = (counts + 2.0 * shares) / (len(after) + 2.0)
        scores = model.score_items(np.array([[last]], np.int32))[0]
        assert probability.sum() == pytest.approx(1.0)
        np.testing.assert_allclose(scores / (len(after) + 2.0), probability)

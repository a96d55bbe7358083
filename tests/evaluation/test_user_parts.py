"""Parts of the users."""

import numpy as np

from emkd_tf.evaluation.user_parts import (
    by_bounds,
    by_history_length,
    by_popularity,
    by_repetition,
    popularity_bounds,
)


def members(parts):
    return {name: np.flatnonzero(is_part).tolist() for name, is_part in parts.items()}


def test_bounds_belong_to_the_part_below():
    lengths = np.array([1, 5, 6, 10, 11, 300, 200, 201])
    assert members(by_history_length(lengths)) == {
        "up to 5": [0, 1],
        "6-10": [2, 3],
        "11-20": [4],
        "101-200": [6],
        "over 200": [5, 7],
    }


def test_thirds_of_the_users_keep_equal_counts_together():
    counts = np.array([9, 0, 1, 1, 5, 5, 5, 80, 7])
    assert members(by_popularity(counts)) == {
        "tail up to 1": [1, 2, 3],
        "middle 2-5": [4, 5, 6],
        "head over 5": [0, 7, 8],
    }
    assert members(by_popularity(np.array([3, 3, 3]))) == {"tail up to 3": [0, 1, 2]}


def test_items_are_parted_like_targets():
    bounds = popularity_bounds(np.array([9, 0, 1, 1, 5, 5, 5, 80, 7]))
    assert bounds == [1, 5]
    assert members(by_bounds(np.array([5, 6, 1]), bounds)) == {
        "tail up to 1": [2],
        "middle 2-5": [0],
        "head over 5": [1],
    }


def test_every_user_is_in_one_part():
    values = np.random.default_rng(0).geometric(0.02, 1000)
    for parts in (by_history_length(values), by_popularity(values)):
        assert (np.sum(list(parts.values()), axis=0) == 1).all()
    sizes = [is_part.sum() for is_part in by_popularity(values).values()]
    np.testing.assert_allclose(sizes, 1000 / 3, rtol=0.06)


def test_repeats():
    is_repeat = np.array([True, False, True])
    assert members(by_repetition(is_repeat)) == {"new": [1], "in the history": [0, 2]}
    assert members(by_repetition(~np.ones(2, bool))) == {"new": [0, 1]}

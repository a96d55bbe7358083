"""Ranks against sorting and counting one user at a time."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.evaluation.metrics import NEVER
from emkd_tf.evaluation.ranks import rank_targets


def brute_force(scores, target, excluded):
    """Rank of a target among the items that are not excluded, ties against it."""
    if target in excluded:
        return NEVER
    rivals = [i for i in range(1, len(scores) + 1) if i != target and i not in excluded]
    return 1 + sum(not scores[i - 1] < scores[target - 1] for i in rivals)


def ranks_of(users, items, targets, seen, in_window):
    result = rank_targets(
        tf.constant(users, tf.float32),
        tf.constant(items, tf.float32),
        tf.constant(targets, tf.int32),
        tf.constant(seen, tf.int32),
        tf.constant(in_window, tf.bool),
    )
    return {protocol: ranks.numpy() for protocol, ranks in result.items()}


@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_equal_counting_with_ties_and_a_target_in_the_history(levels):
    rng = np.random.default_rng(levels)
    batch, num_items, width = 40, 30, 8
    users = rng.integers(levels, size=(batch, 1))  # whole numbers: exact products
    items = rng.integers(levels, size=(num_items, 1))
    targets = rng.integers(1, num_items + 1, size=batch)
    seen = np.array([rng.permutation(num_items)[:width] for _ in range(batch)])
    seen[:, :2] = 0
    seen[:9, -1] = targets[:9]
    in_window = rng.random(seen.shape) < 0.5
    ranks = ranks_of(users, items, targets, seen, in_window)
    for row in range(batch):
        scores = (items @ users[row]).astype(np.float32)
        history, window = set(seen[row]), set(seen[row][in_window[row]])
        target = targets[row]
        assert ranks["all"][row] == brute_force(scores, target, set())
        assert ranks["unseen"][row] == brute_force(scores, target, history)
        assert ranks["window"][row] == brute_force(scores, target, window)


def test_a_constant_model_is_last_and_so_is_one_of_nans():
    for value in (1.0, np.nan):
        ranks = ranks_of(
            np.full((2, 1), value),
            np.ones((9, 1)),
            [1, 9],
            [[2], [0]],
            [[True], [True]],
        )
        assert ranks["all"].tolist() == [9, 9]
        assert ranks["unseen"].tolist() == [8, 9]

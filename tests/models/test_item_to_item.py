"""Items scored by item pairs, against loops."""

import numpy as np
from scipy import sparse

from emkd_tf.models.item_to_item import ItemToItem, TrainingActions


def test_scores_are_the_sum_over_the_last_items_by_age():
    rng = np.random.default_rng(0)
    table = rng.random((6, 6)) * (rng.random((6, 6)) < 0.5)
    prior = rng.random(6)
    model = ItemToItem(
        sparse.csr_array(table), prior, num_last=3, decay=0.5, max_length=9
    )
    # An item twice, more than three, fewer than three, and nothing.
    histories = [[5, 2, 2], [1, 2, 3, 4, 6], [4], []]
    padded = np.array([[0] * (5 - len(h)) + h for h in histories], np.int32)
    expected = []
    for history in histories:
        scores = prior.copy()
        for age, item in enumerate(reversed(history[-3:])):
            scores += 0.5**age * table[item - 1]
        expected.append(scores)
    np.testing.assert_allclose(model.score_items(padded), expected)
    np.testing.assert_allclose(model.score_items(padded[:, -2:])[2], expected[2])


def test_actions_between_bounds():
    items = np.array([7, 8, 9, 4, 5, 6, 1, 2], np.int32)
    starts, ends = np.array([0, 3, 6]), np.array([2, 3, 8])
    actions = TrainingActions.between(items, starts, ends, 9)
    assert actions.users.tolist() == [0, 0, 2, 2]
    assert actions.items.tolist() == [7, 8, 1, 2]
    assert (actions.num_users, actions.num_items) == (3, 9)


def test_popularity():
    def shares(items):
        actions = TrainingActions(np.zeros(len(items)), np.array(items, int), 1, 3)
        return actions.popularity().tolist()

    assert shares([1, 3, 3, 1]) == [0.5, 0, 0.5]
    assert shares([]) == [0.0, 0.0, 0.0]

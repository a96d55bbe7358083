"""ItemKNN against sets of users."""

import numpy as np
import pytest

from emkd_tf.models import itemknn as module
from emkd_tf.models.item_to_item import TrainingActions
from emkd_tf.models.itemknn import ItemKNN


@pytest.fixture
def histories():
    """Of 12 items, some of them repeated, and the bounds of their training parts."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 10, 40)
    items = rng.integers(1, 13, lengths.sum()).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return items, offsets[:-1], offsets[1:] - 2


def actions_of(histories):
    return TrainingActions.between(*histories, 12)


def cosines_of(items, starts, ends, shrinkage):
    users = [
        {
            u
            for u, (a, b) in enumerate(zip(starts, ends, strict=True))
            if i in items[a:b]
        }
        for i in range(1, 13)
    ]
    cosines = np.zeros((12, 12))
    for i, of_i in enumerate(users):
        for j, of_j in enumerate(users):
            if i != j and of_i & of_j:
                size = np.sqrt(len(of_i) * len(of_j))
                cosines[i, j] = len(of_i & of_j) / (size + shrinkage)
    return cosines


@pytest.mark.parametrize("shrinkage", [0.0, 3.0])
def test_cosines_of_the_users(histories, shrinkage, monkeypatch):
    monkeypatch.setattr(
        module, "_ROWS", 5
    )  # of 12 items, so that the last part is less
    model = ItemKNN(
        actions_of(histories), shrinkage=shrinkage, num_neighbours=12, max_length=9
    )
    expected = cosines_of(*histories, shrinkage)
    np.testing.assert_allclose(model.table.toarray(), expected, rtol=1e-6)


def test_only_the_nearest_stay(histories):
    model = ItemKNN(actions_of(histories), num_neighbours=3, max_length=9)
    cosines = cosines_of(*histories, 20.0)
    table = model.table.toarray()
    for row, of_row in zip(table, cosines, strict=True):
        assert (row > 0).sum() == 3
        np.testing.assert_allclose(np.sort(row)[-3:], np.sort(of_row)[-3:], rtol=1e-6)


def test_popularity_orders_only_what_no_item_knows(histories):
    model = ItemKNN(actions_of(histories), num_last=2, decay=0.25, max_length=9)
    items, starts, ends = histories
    training = np.concatenate([items[a:b] for a, b in zip(starts, ends, strict=True)])
    counts = np.bincount(training, minlength=13)[1:]
    nothing, known = model.score_items(np.array([[0, 0], [3, 5]], np.int32))
    assert (
        np.argsort(-nothing, kind="stable") == np.argsort(-counts, kind="stable")
    ).all()
    expected = 0.25 * model.table.toarray()[2] + model.table.toarray()[4]
    np.testing.assert_allclose(known, expected, atol=1e-8)


def test_markov_and_itemknn_find_the_order_of_the_sample(tmp_path):
    """Both beat popularity far: the sample's next item depends on the last ones."""
    from emkd_tf.config import from_flat
    from emkd_tf.data.prepare import prepare
    from emkd_tf.models.markov import Markov

    histories = prepare(from_flat({"cache_dir": str(tmp_path)}).data)
    users = np.arange(histories.num_users)
    item_ids = histories.before_target("test", users)
    targets = histories.targets("test") - 1
    fit = TrainingActions.of(histories)
    hit_rates = {}
    for name, model in {
        "markov": Markov(fit, max_length=50),
        "itemknn": ItemKNN(fit, max_length=50),
        "popular": Markov(fit, smoothing=1e9, max_length=50),
    }.items():
        scores = model.score_items(item_ids)
        own = scores[users, targets][:, np.newaxis]
        hit_rates[name] = ((scores >= own).sum(axis=1) <= 10).mean()
    assert hit_rates["markov"] > 0.35
    assert hit_rates["itemknn"] > 0.1
    assert hit_rates["popular"] < 0.05

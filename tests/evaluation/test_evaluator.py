"""The evaluator against one user at a time, and against PopRec's known figures."""

import gc
import weakref

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.config import DataConfig
from emkd_tf.data.prepare import prepare
from emkd_tf.evaluation.evaluator import chunks, evaluate, rank_users
from emkd_tf.evaluation.metrics import NEVER
from emkd_tf.models.popularity import PopRec


class LastItems:
    """Scores by the sum of the last items' random vectors: order and window matter."""

    history_length, knows_users = 4, False

    def __init__(self, num_items):
        rng = np.random.default_rng(0)
        # Small whole numbers: exact products, many ties.
        self.table = rng.integers(-2, 3, size=(num_items + 1, 3)).astype(np.float32)
        self.table[0] = 0

    def user_vectors(self, item_ids, users=None):
        return tf.reduce_sum(tf.gather(self.table, item_ids), axis=1)

    def item_vectors(self):
        return tf.constant(self.table[1:])

    def members(self):
        return {}


class WeightedItems(LastItems):
    def __init__(self, num_items):
        super().__init__(num_items)
        self.weight = tf.Variable(1.0)

    def user_vectors(self, item_ids, users=None):
        return super().user_vectors(item_ids, users) * self.weight


def lists_of(histories):
    return [
        histories.items[a:b].tolist()
        for a, b in zip(histories.offsets, histories.offsets[1:], strict=False)
    ]


@pytest.mark.parametrize("split", ["validation", "test"])
def test_ranks_equal_one_user_at_a_time(histories, split):
    model = LastItems(histories.num_items)
    ranks = rank_users(model, histories, split)["ensemble"]
    held_out = {"validation": 2, "test": 1}[split]
    for user, items in enumerate(lists_of(histories)):
        history, target = items[:-held_out], items[-held_out]
        scores = model.table[1:] @ model.table[history[-4:]].sum(axis=0)
        for protocol, excluded in {
            "unseen": set(history),
            "window": set(history[-4:]),
            "all": set(),
        }.items():
            rivals = set(range(1, len(scores) + 1)) - excluded - {target}
            better = sum(scores[i - 1] >= scores[target - 1] for i in rivals)
            expected = NEVER if target in excluded else 1 + better
            assert ranks[protocol][user] == expected
    assert (ranks["unseen"] == NEVER).sum() > (ranks["window"] == NEVER).sum() > 0


def test_changed_weights_change_ranks_and_a_recommender_is_not_kept(histories):
    model = WeightedItems(histories.num_items)
    before = rank_users(model, histories, "test")["ensemble"]["all"]
    model.weight.assign(-1.0)
    after = rank_users(model, histories, "test")["ensemble"]["all"]
    assert (before != after).any()
    known = weakref.ref(model)
    del model
    gc.collect()
    assert known() is None


def test_chunks_do_not_change_what_is_seen(histories):
    by_user = {}
    for size in (7, 1000):
        for chunk in chunks(histories, "test", window=4, size=size):
            for row, user in enumerate(chunk["users"]):
                seen = chunk["seen"][row]
                window = seen[chunk["in_window"][row] & (seen > 0)]
                newest = [item for item in chunk["item_ids"][row].tolist() if item]
                known = (set(seen) - {0}, set(window), newest)
                assert by_user.setdefault(user, known) == known
    for user, items in enumerate(lists_of(histories)):
        assert by_user[user] == (set(items[:-1]), set(items[:-1][-4:]), items[:-1][-4:])


def test_chunks_hold_no_columns_of_padding(histories):
    for chunk in chunks(histories, "test", window=4, size=7):
        assert chunk["item_ids"].shape[1] <= 4
        assert (chunk["item_ids"] > 0).any(axis=0).all()
        assert chunk["in_window"].shape == chunk["seen"].shape


POPREC = [
    ("beauty", 5, "unseen", 0.0110, 0.0053),
    ("toys", 5, "unseen", 0.0090, 0.0049),
    ("ml-1m", 0, "unseen", 0.0369, 0.0180),
    ("ml-1m", 0, "all", 0.0162, 0.0079),
]


@pytest.mark.parametrize(("dataset", "min_item", "protocol", "hr", "ndcg"), POPREC)
def test_poprec_has_its_known_figures(
    shared_data, cache, dataset, min_item, protocol, hr, ndcg
):
    config = DataConfig(
        dataset=dataset,
        data_dir=str(shared_data),
        cache_dir=cache,
        item_core=min_item,
    )
    histories = prepare(config)
    model = PopRec(histories.training_item_counts(), history_length=14)
    metrics = evaluate(model, histories, "test")[protocol]
    assert (round(metrics["HR@10"], 4), round(metrics["NDCG@10"], 4)) == (hr, ndcg)

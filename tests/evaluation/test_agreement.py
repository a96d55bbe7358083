"""TFRS' lists and the evaluator's ranks, on real-valued scores and on many ties."""

import numpy as np
import polars as pl
import pytest
import tensorflow as tf

from emkd_tf.config import DataConfig
from emkd_tf.data.prepare import prepare
from emkd_tf.evaluation.agreement import retrieval_metrics
from emkd_tf.evaluation.evaluator import rank_users
from emkd_tf.evaluation.metrics import hit_rate, ndcg


class RandomVectors:
    """A user's vector is a random one of the last item's."""

    max_length = 4

    def __init__(self, num_items, levels=None):
        rng = np.random.default_rng(3)
        self.table = rng.normal(size=(2, num_items + 1, 6)).astype(np.float32)
        if levels:
            self.table = np.round(self.table * levels).clip(-1, 1)

    def user_vectors(self, item_ids):
        return tf.gather(self.table[0], item_ids[:, -1])

    def item_vectors(self):
        return tf.constant(self.table[1, 1:])


@pytest.fixture
def histories(tmp_path, cache):
    """Among 30 items, users with 3 to 29 actions: some leave fewer than 10 unseen."""
    rng = np.random.default_rng(1)
    rows = [
        (f"u{user}", f"i{item}", time)
        for user in range(90)
        for time, item in enumerate(rng.permutation(30)[: rng.integers(3, 30)])
    ]
    log = tmp_path / "log.csv"
    pl.DataFrame(rows, schema=["user", "item", "time"], orient="row").write_csv(log)
    config = DataConfig(
        interactions=str(log), cache_dir=cache, min_user_actions=3, min_item_actions=1
    )
    return prepare(config)


def test_lists_and_ranks_agree(histories):
    model = RandomVectors(histories.num_items)
    ranks = rank_users(model, histories, "test")["ensemble"]["unseen"]
    metrics = retrieval_metrics(model, histories, "test", ranks)
    assert metrics["HR@10"] == pytest.approx(hit_rate(ranks, 10))
    assert metrics["NDCG@10"] == pytest.approx(ndcg(ranks, 10))


def test_ties_are_told_from_errors(histories):
    model = RandomVectors(histories.num_items, levels=1)
    ranks = rank_users(model, histories, "test")["ensemble"]["unseen"]
    metrics = retrieval_metrics(model, histories, "test", ranks)
    assert metrics["HR@10"] > hit_rate(ranks, 10)  # TFRS gives a tie to the lower id


def test_wrong_ranks_are_noticed(histories):
    model = RandomVectors(histories.num_items)
    ranks = rank_users(model, histories, "test")["ensemble"]["unseen"].copy()
    ranks[np.flatnonzero(ranks < 5)[0]] += 3
    with pytest.raises(AssertionError, match="TFRS list"):
        retrieval_metrics(model, histories, "test", ranks)

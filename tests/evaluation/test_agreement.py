"""TFRS' lists and the evaluator's ranks, on real-valued scores and on many ties."""

import numpy as np
import polars as pl
import pytest
import tensorflow as tf

from emkd_tf.config import DataConfig
from emkd_tf.data.prepare import prepare
from emkd_tf.evaluation.agreement import retrieval_agreement
from emkd_tf.evaluation.evaluator import rank_users
from emkd_tf.evaluation.metrics import NEVER, summarize

PROTOCOLS = ("unseen", "window", "all")


class RandomVectors:
    """A user's vector is a random one of the last item's."""

    history_length, knows_users = 3, False

    def __init__(self, num_items, levels=None, scale=1.0):
        rng = np.random.default_rng(3)
        self.table = rng.normal(size=(2, num_items + 1, 6)).astype(np.float32)
        if levels:
            self.table = np.round(self.table * levels).clip(-1, 1)
        self.table *= np.float32(scale)

    def user_vectors(self, item_ids, users=None):
        return tf.gather(self.table[0], item_ids[:, -1])

    def item_vectors(self):
        return tf.constant(self.table[1, 1:])

    def members(self):
        return {}


class CancellingVectors(RandomVectors):
    """Scores are small sums of terms a million times as large."""

    def __init__(self, num_items):
        super().__init__(num_items)
        huge = np.full((2, num_items + 1, 2), 3e4, np.float32)
        huge[1, :, 1] *= -1
        noise = np.random.default_rng(5).normal(size=(num_items + 1, 1))
        huge[1] += noise.astype(np.float32)
        self.table = np.concatenate([self.table, huge], axis=-1)


def histories_of(num_items, draw, tmp_path, cache):
    """Users with 3 to 29 actions on 30 items: some leave fewer than 10 unseen."""
    rng = np.random.default_rng(1)
    rows = [
        (f"u{user}", f"i{item}", time)
        for user in range(90)
        for time, item in enumerate(draw(rng, num_items)[: rng.integers(3, 30)])
    ]
    log = tmp_path / f"log{num_items}.csv"
    pl.DataFrame(rows, schema=["user", "item", "time"], orient="row").write_csv(log)
    config = DataConfig(
        interactions=str(log), cache_dir=cache, user_core=3, item_core=1
    )
    return prepare(config)


@pytest.fixture
def histories(tmp_path, cache):
    return histories_of(30, lambda rng, n: rng.permutation(n), tmp_path, cache)


@pytest.fixture(params=[9, 30])
def with_repeats(request, tmp_path, cache):
    """Nine items are fewer than a list holds, and some users had every one of them."""
    return histories_of(
        request.param, lambda rng, n: rng.integers(n, size=30), tmp_path, cache
    )


def compared(model, histories, protocol="unseen", ranks=None):
    if ranks is None:
        ranks = rank_users(model, histories, "test")["ensemble"][protocol]
    return ranks, retrieval_agreement(model, histories, "test", ranks, protocol)


def test_lists_and_ranks_agree(histories):
    ranks, found = compared(RandomVectors(histories.num_items), histories)
    for metric in ("HR@10", "NDCG@10"):
        assert found.metrics[metric] == pytest.approx(summarize(ranks)[metric])
    assert (found.users, found.example) == (0, "")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_repeated_target_is_in_no_list_that_excludes_it(with_repeats, protocol):
    model = RandomVectors(with_repeats.num_items)
    ranks, found = compared(model, with_repeats, protocol)
    assert found.users == 0
    for metric in ("HR@10", "NDCG@10"):
        assert found.metrics[metric] == pytest.approx(summarize(ranks)[metric])
    assert (ranks == NEVER).any() == (protocol != "all")


def test_ties_are_told_from_errors(histories):
    ranks, found = compared(RandomVectors(histories.num_items, levels=1), histories)
    assert found.users == 0
    # TFRS gives a tie to the lower id.
    assert found.metrics["HR@10"] > summarize(ranks)["HR@10"]


@pytest.mark.parametrize("scale", [1e4, 1e8])
def test_scores_of_any_size_exclude_and_agree(histories, scale):
    model = RandomVectors(histories.num_items, scale=scale)
    ranks, found = compared(model, histories)
    assert found.users == 0
    assert found.metrics["HR@10"] == pytest.approx(summarize(ranks)["HR@10"])


def test_rounding_is_relative_to_the_terms_of_a_score(histories):
    """These scores are multiples of 64, and no two products agree on them."""
    model = CancellingVectors(histories.num_items)
    ranks, _ = compared(model, histories)
    moved = np.clip(ranks + np.where(np.arange(len(ranks)) % 2, 1, -1), 1, None)
    assert compared(model, histories, ranks=moved)[1].users == 0


def test_wrong_ranks_are_noticed(histories):
    model = RandomVectors(histories.num_items)
    ranks = rank_users(model, histories, "test")["ensemble"]["unseen"].copy()
    user = np.flatnonzero(ranks < 5)[0]
    ranks[user] += 3
    _, found = compared(model, histories, ranks=ranks)
    assert found.users == 1
    told = f"place {ranks[user] - 3} in the TFRS list, rank {ranks[user]} by counting"
    assert found.example == f"user {user}: {told}"


def test_a_target_that_a_list_holds_although_it_is_excluded_is_noticed(with_repeats):
    model = RandomVectors(with_repeats.num_items)
    unseen, _ = compared(model, with_repeats)
    _, found = compared(model, with_repeats, "all", ranks=unseen)
    assert found.users > 0

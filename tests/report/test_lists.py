"""Lists of test users against the ranks, and what is said of them by hand."""

import numpy as np
import pytest
import tensorflow as tf
from weights import randomized

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.models.popularity import PopRec
from emkd_tf.report.lists import describe, lists_of_test_users, surprise
from emkd_tf.training.setup import build_model


@pytest.mark.parametrize("protocol", ["unseen", "window", "all"])
def test_hits_are_those_of_the_ranks(protocol, files, opened):
    histories, model = opened
    told = []
    lists = lists_of_test_users(model, histories, protocol, 10, told.append)
    assert sum(told) == len(lists) == len(histories.evaluated("test"))
    is_hit = (lists == np.asarray(histories.targets("test"))[:, np.newaxis]).any(axis=1)
    assert is_hit.mean() == files.metrics["test_by_protocol"][protocol]["HR@10"]


def test_no_list_holds_what_was_seen_or_an_item_twice(opened):
    histories, model = opened
    lists = lists_of_test_users(model, histories, "unseen", histories.num_items)
    users = histories.evaluated("test")
    for row, history in zip(lists, histories.before_target("test", users), strict=True):
        items = row[row > 0]
        assert sorted({*items, *history[history > 0]}) == list(
            range(1, histories.num_items + 1)
        )
        assert len(items) + len(set(history[history > 0])) == histories.num_items


def test_models_that_only_score(opened):
    histories, _ = opened
    counts = histories.training_item_counts()
    lists = lists_of_test_users(PopRec(counts, 6), histories, "all", 3)
    assert (counts[lists - 1] == np.sort(counts)[-3:][::-1]).all()


def test_coverage_novelty_and_shares_by_hand():
    counts = np.array([7, 3, 1, 0])
    lists = np.array([[1, 2], [1, 0]])
    facts = describe(lists, counts, [1, 3])
    assert facts.counts.tolist() == [2, 1, 0, 0]
    assert facts.coverage == 0.5
    bits = [-np.log2(8 / 15), -np.log2(4 / 15)]
    assert facts.novelty == pytest.approx((2 * bits[0] + bits[1]) / 3)
    assert facts.shares == {
        "middle 2-3": pytest.approx(1 / 3),
        "head over 3": pytest.approx(2 / 3),
    }


def test_surprise_is_a_code_length():
    """Shannon: the expected surprise is the entropy, and the shares add up to one."""
    bits = surprise(np.array([5, 0, 2, 9]))
    assert (2.0**-bits).sum() == pytest.approx(1.0)
    assert bits.argmax() == 1


def test_a_user_who_is_known_is_known_to_the_lists(tiny_log, tmp_path):
    settings = {"interactions": str(tiny_log), "cache_dir": str(tmp_path)}
    settings |= {"dataset": "tiny", "user_core": 3, "item_core": 1, "max_length": 6}
    settings |= {"model": "caser", "user_vectors": True, "hidden_units": 8}
    config = from_flat({**settings, "tie_item_embeddings": False})
    histories = prepare(config.data)
    model = randomized(build_model(config, histories))
    lists = lists_of_test_users(model, histories, "all", 5)
    users = histories.evaluated("test")
    history = histories.before_target("test", users, 6)
    vectors = model.ensemble.user_vectors(tf.constant(history), tf.constant(users))
    scores = vectors @ tf.transpose(model.ensemble.item_vectors())
    np.testing.assert_array_equal(lists, np.argsort(-scores.numpy())[:, :5] + 1)

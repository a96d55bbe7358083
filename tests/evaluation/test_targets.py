"""What is known of each user's target, against one user at a time."""

import numpy as np
import polars as pl
import pytest

from emkd_tf.evaluation import targets as module
from emkd_tf.evaluation.metrics import NEVER, summarize
from emkd_tf.evaluation.targets import (
    Targets,
    summarize_repeats,
    targets_of,
    write_per_user,
)


@pytest.mark.parametrize("actions_at_once", [1, 50, 10**7])
@pytest.mark.parametrize("split", ["validation", "test"])
def test_equal_one_user_at_a_time(histories, split, actions_at_once, monkeypatch):
    monkeypatch.setattr(module, "_ACTIONS_AT_ONCE", actions_at_once)
    held_out = {"validation": 2, "test": 1}[split]
    bounds = zip(histories.offsets, histories.offsets[1:], strict=False)
    lists = [histories.items[a:b].tolist() for a, b in bounds]
    trained = [item for items in lists for item in items[:-2]]
    found = targets_of(histories, split)
    assert 0 < found.is_repeat.sum() < len(lists)
    for user, items in enumerate(lists):
        target, before = items[-held_out], items[:-held_out]
        assert found.items[user] == target
        assert found.is_repeat[user] == (target in before)
        assert found.history_lengths[user] == len(before)
        assert found.training_counts[user] == trained.count(target)


def test_repeats_and_new_items_apart():
    ranks = np.array([NEVER, 3, 1, NEVER])
    is_repeat = np.array([True, True, False, True])
    nothing = np.zeros(4, int)
    found = summarize_repeats(ranks, Targets(nothing, is_repeat, nothing, nothing))
    assert [found[k] for k in ("targets", "repeats", "excluded")] == [4, 3, 2]
    assert found["repeat"] == summarize(ranks[is_repeat])
    assert found["repeat"]["HR@5"] == pytest.approx(1 / 3)
    assert found["new"]["MRR"] == 1
    none = Targets(nothing, np.zeros(2, bool), nothing, nothing)
    counts = {"targets": 2, "repeats": 0, "excluded": 0}
    assert summarize_repeats(ranks[1:3], none) == counts


def test_the_file_of_all_users(histories, tmp_path):
    ranks = np.arange(1, histories.num_users + 1, dtype=np.int32)
    ranks[3] = NEVER
    found = targets_of(histories, "test")
    path = tmp_path / "per_user.parquet"
    write_per_user(path, histories, {"test": found}, {"test": {"unseen": ranks}})
    table = pl.read_parquet(path)
    assert table.schema == {
        "user": pl.String,
        "test_target": pl.String,
        "test_is_repeat": pl.Boolean,
        "test_history_length": pl.Int64,
        "test_target_count": pl.Int64,
        "test_unseen": pl.Int32,
    }
    assert table["user"].to_list() == histories.user_ids()
    names = histories.item_ids()
    assert table["test_target"].to_list() == [names[i - 1] for i in found.items]
    assert table["test_unseen"].to_list() == ranks.tolist()
    assert table["test_unseen"][3] == 2147483647

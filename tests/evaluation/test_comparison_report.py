"""The rows of a comparison."""

import numpy as np
import pytest

from emkd_tf.evaluation.comparison import estimate
from emkd_tf.evaluation.comparison_report import compare, to_frame, user_parts
from emkd_tf.evaluation.metrics import METRICS, user_values
from emkd_tf.evaluation.run_ranks import read_run, seed_groups

USERS = 60


@pytest.fixture
def groups(saved_run):
    """Two seeds of `old`, which knows nothing of its users, and `new`, which does."""
    rng = np.random.default_rng(0)
    paths = [
        saved_run(f"old-seed{s}", rng.integers(1, 40, USERS), settings={"seed": s})
        for s in range(2)
    ]
    ranks = rng.integers(1, 15, USERS)
    known = {
        "history_length": np.arange(USERS) % 8 + 1,
        "target_count": np.arange(USERS),
        "is_repeat": np.zeros(USERS, bool),
    }
    paths.append(saved_run("new", ranks, settings={"epochs": 9}, **known))
    return seed_groups([read_run(path, "test") for path in paths])


def test_every_metric_of_every_group(groups):
    reference, rows = compare(groups, "NDCG@10")
    assert reference == "new"
    of_all = [row for row in rows if not row.parted_by]
    assert [(row.run, row.metric) for row in of_all] == [
        (name, metric) for name in ("old", "new") for metric in METRICS
    ]
    for row in of_all:
        ranks = [run.ranks for run in groups[row.run]]
        values = np.stack([user_values(of_run, row.metric) for of_run in ranks])
        assert row.estimate == estimate(values)
        assert (row.seeds, row.users) == (len(ranks), USERS)
    (told,) = [row for row in rows if row.difference]
    assert (told.run, told.metric) == ("old", "NDCG@10")
    new, old = (
        next(r for r in of_all if (r.run, r.metric) == (name, "NDCG@10"))
        for name in ("new", "old")
    )
    assert told.difference.mean == pytest.approx(old.estimate.mean - new.estimate.mean)


def test_the_parts_add_up_to_all(groups):
    _, rows = compare(groups, "HR@10", "old")
    whole = {
        r.run: r.estimate.mean for r in rows if r.part == "" and r.metric == "HR@10"
    }
    for parted_by in ("history length", "popularity of the target", "target"):
        for run, mean in whole.items():
            own = [r for r in rows if (r.run, r.parted_by) == (run, parted_by)]
            assert sum(row.users for row in own) == USERS
            weighted = sum(row.users * row.estimate.mean for row in own) / USERS
            assert weighted == pytest.approx(mean)


def test_what_one_run_knows_serves_all(groups):
    assert list(user_parts(groups)["history length"]) == ["up to 5", "6-10"]
    assert user_parts({"old": groups["old"]}) == {}


def test_the_frame_holds_every_number(groups):
    _, rows = compare(groups, "MRR", "new")
    frame = to_frame(rows, dataset="shop")
    assert len(frame) == len(rows)
    assert frame["dataset"].unique().to_list() == ["shop"]
    for row, of_frame in zip(rows, frame.iter_rows(named=True), strict=True):
        assert of_frame["value"] == row.estimate.mean
        assert of_frame["value_users_low"] == row.estimate.over_users.low
        has_seeds = of_frame["value_seeds_high"] is not None
        assert has_seeds == (row.run == "old")
        if row.difference:
            assert of_frame["difference_users_high"] == row.difference.over_users.high
            assert of_frame["p_users"] == row.difference.p_users
            assert of_frame["p_seeds"] is None

"""Runs are read from their files, and refused where they cannot be compared."""

import json

import numpy as np
import polars as pl
import pytest

from emkd_tf.errors import InputError
from emkd_tf.evaluation.metrics import NEVER
from emkd_tf.evaluation.run_ranks import (
    read_run,
    require_comparable,
    seed_groups,
)

RANKS = [3, 1, 20]


def test_what_a_run_wrote_is_read(saved_run):
    path = saved_run("old", RANKS, own={"protocol": "all"})
    run = read_run(path, "test")
    assert (run.dataset, run.fingerprint, run.model) == ("shop", "f0", "EMKD")
    assert run.protocol == "all"
    assert run.settings["epochs"] == 3
    np.testing.assert_array_equal(run.ranks, RANKS)
    assert run.columns.columns == ["user", "rank"]
    assert not run.is_excluded.any()


def test_what_a_newer_run_knows_of_its_users(saved_run):
    counts = {"target_count": [5, 0, 7], "history_length": [2, 3, 4]}
    ranks = [1, NEVER, 2]
    path = saved_run("new", ranks, target=["a", "b", "a"], **counts)
    run = read_run(path, "validation", "window")
    assert run.protocol == "window"
    assert run.columns["target_count"].to_list() == [5, 0, 7]
    assert run.columns["target"].to_list() == ["a", "b", "a"]
    np.testing.assert_array_equal(run.is_excluded, [False, True, False])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("config.yaml", None, "is not a run directory: it has no config.yaml"),
        ("config.yaml", "[1", "config.yaml is missing or damaged"),
        ("metrics.json", None, "is not finished: it has no metrics.json"),
        ("metrics.json", "{}", "metrics.json is missing or damaged"),
        ("dataset.json", None, "dataset.json is missing or damaged"),
        ("dataset.json", "[]", "dataset.json is missing or damaged"),
        ("per_user.parquet", None, "per_user.parquet is missing or damaged"),
        ("per_user.parquet", "PAR1", "per_user.parquet is missing or damaged"),
    ],
)
def test_missing_and_damaged_files(saved_run, name, text, message):
    path = saved_run("run", RANKS)
    (path / name).unlink()
    if text is not None:
        (path / name).write_text(text)
    with pytest.raises(InputError, match=message):
        read_run(path, "test")


def test_ranks_that_are_none(saved_run):
    with pytest.raises(InputError, match="is missing or damaged"):
        read_run(saved_run("zero", [1, 0]), "test")
    with pytest.raises(
        InputError, match="no column `test_last` of ranks, only test_un"
    ):
        read_run(saved_run("run", RANKS), "test", "last")


@pytest.mark.parametrize(
    ("protocol", "changes", "message"),
    [
        (None, {"own": {"fingerprint": "f1", "name": "bar"}}, "`shop` f0 and `bar` f1"),
        (None, {"own": {"protocol": "all"}}, "protocols are unseen and all; choose"),
        (None, {"users": ["u0", "u2", "u1"]}, "the users whose ranks they hold differ"),
        (None, {"target": ["a", "b", "d"]}, "the targets whose ranks they hold differ"),
        (None, {"ranks": [3, 1, NEVER]}, "targets of different users, 0 and 1"),
        ("window", {"settings": {"max_length": 9}}, "read the newest 15 and 9 items"),
    ],
)
def test_runs_of_another_question_are_refused(saved_run, protocol, changes, message):
    one = saved_run("one", RANKS, target=["a", "b", "c"])
    two = saved_run("two", **{"ranks": RANKS, **changes})
    with pytest.raises(InputError, match=f"one and .*two cannot be .*{message}"):
        require_comparable([read_run(path, "test", protocol) for path in (one, two)])


def test_an_older_run_beside_a_newer_one(saved_run):
    one = saved_run("one", RANKS, target=["a", "b", "c"])
    two = saved_run("two", RANKS, settings={"max_length": 9})
    require_comparable([read_run(path, "test") for path in (one, two)])


def groups_of(paths):
    groups = seed_groups([read_run(path, "test") for path in paths])
    return {name: [run.path for run in runs] for name, runs in groups.items()}


def test_runs_that_differ_only_in_their_seed_are_a_group(saved_run):
    a = [
        saved_run(f"a-seed{seed}", RANKS, settings={"seed": seed, "export": seed > 0})
        for seed in range(3)
    ]
    b = saved_run("b", RANKS, settings={"epochs": 4})
    c = saved_run("c", RANKS, own={"model": "SASRec"})
    assert groups_of([a[0], b, a[1], c, a[2]]) == {"a": a, "b": [b], "c": [c]}


def test_the_window_is_what_a_model_reads(saved_run):
    """One that fills a mask reads an item less than its length."""
    one, two = saved_run("one", RANKS), saved_run("two", RANKS)
    metrics = json.loads((two / "metrics.json").read_text())
    (two / "metrics.json").write_text(json.dumps({**metrics, "history_length": 14}))
    runs = [read_run(path, "test", "window") for path in (one, two)]
    with pytest.raises(InputError, match="read the newest 15 and 14 items"):
        require_comparable(runs)
    require_comparable([read_run(path, "test") for path in (one, two)])


def test_a_run_whose_test_was_left_unread_says_so(saved_run):
    path = saved_run("run", RANKS)
    ranks = pl.read_parquet(path / "per_user.parquet")
    without = ranks.select(pl.exclude("^test_.*$"))
    without.write_parquet(path / "per_user.parquet")
    with pytest.raises(InputError, match=r"no ranks of the test: .* --test false"):
        read_run(path, "test")


def test_sums_are_no_seeds_of_each_other(saved_run):
    """Their settings are those of their first members."""
    own = {"model": "sasrec + sasrec"}
    sums = [
        saved_run(f"sum-seed{n}", RANKS, own=own, settings={"seed": n}) for n in (0, 1)
    ]
    assert groups_of(sums) == {str(path): [path] for path in sums}


def test_equal_seeds_are_groups_apart(saved_run):
    """The same settings before and after a change of the code."""
    paths = [
        saved_run(f"{code}/emkd_seed{seed}", RANKS, settings={"seed": seed})
        for code in ("before", "after")
        for seed in range(2)
    ]
    assert groups_of(paths) == {
        str(paths[0]): paths[:2],
        str(paths[2]): paths[2:],
    }

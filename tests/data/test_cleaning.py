"""Cleaning against brute force over rows."""

import collections

import numpy as np
import polars as pl
import pytest

from emkd_tf.data import cleaning
from emkd_tf.data.cleaning import (
    clean,
    count_repeats,
    encode,
    is_first,
    is_repeat,
    k_core,
)


def log_of(rows):
    return pl.LazyFrame(rows, schema=["user", "item", "time"], orient="row")


def random_rows(seed, users=25, items=12, rows=150):
    rng = np.random.default_rng(seed)
    return [
        (f"u{rng.integers(users)}", f"i{rng.integers(items)}", int(rng.integers(9)))
        for _ in range(rows)
    ]


def rows_of(actions):
    users, items = actions.user_ids.to_list(), actions.item_ids.to_list()
    columns = (actions.users.tolist(), actions.items.tolist(), actions.times.tolist())
    return [(users[u], items[i], time) for u, i, time in zip(*columns, strict=True)]


def brute_force_core(rows, min_user, min_item):
    while True:
        users = collections.Counter(row[0] for row in rows)
        items = collections.Counter(row[1] for row in rows)
        kept = [r for r in rows if users[r[0]] >= min_user and items[r[1]] >= min_item]
        if len(kept) == len(rows):
            return kept
        rows = kept


@pytest.mark.parametrize("seed", range(3))
def test_numbers_stand_for_the_rows_in_their_order(seed):
    rows = random_rows(seed)
    actions = encode(log_of(rows))
    assert rows_of(actions) == rows
    assert actions.users.dtype == actions.items.dtype == np.int32
    assert actions.times.dtype == np.int64


@pytest.mark.parametrize("seed", range(3))
def test_the_first_of_equal_rows_stays(seed):
    rows = random_rows(seed, users=5, items=4)
    found = is_first(encode(log_of(rows)))
    assert found.tolist() == [row not in rows[:i] for i, row in enumerate(rows)]
    assert not found.all()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("min_user", "min_item"), [(0, 0), (5, 5), (7, 13), (50, 2)])
def test_k_core_is_the_fixed_point(seed, min_user, min_item):
    rows = random_rows(seed)
    core = k_core(encode(log_of(rows)), min_user, min_item)
    assert rows_of(core) == brute_force_core(rows, min_user, min_item)


def test_order_ties_and_reasons():
    log = log_of(
        [
            ("b", "x", 5),
            ("a", "y", 2),
            ("b", "z", 1),
            ("a", "x", 2),  # ties with y: stays behind it
            ("b", "x", 5),  # a duplicate row
            ("a", "z", 1),
            ("c", "x", 1),  # two actions only
            ("c", "w", 2),
            ("b", "x", 6),  # again, at another time: no duplicate
        ]
    )
    actions, dropped = clean(encode(log), 1, 1)
    assert [row[:2] for row in rows_of(actions)] == [
        *[("b", "z"), ("b", "x"), ("b", "x")],
        *[("a", "z"), ("a", "y"), ("a", "x")],
    ]
    # Ids by first appearance, without those that are gone.
    assert actions.user_ids.to_list() == ["b", "a"]
    assert actions.item_ids.to_list() == ["z", "x", "y"]
    assert dropped == {
        "duplicate rows": 1,
        "k-core": 0,
        "users with fewer than 3 actions": 2,
    }


def test_times_of_both_kinds():
    for times in ([2**62, 2**62 + 1, 5], [0.5, 0.25, 1.5]):
        rows = [("u", f"i{n}", time) for n, time in enumerate(times)]
        actions, _ = clean(encode(log_of(rows)), 0, 0)
        assert actions.times.tolist() == sorted(times)


@pytest.mark.parametrize("seed", range(3))
def test_repeats_are_counted_in_parts_of_whole_users(seed, monkeypatch):
    monkeypatch.setattr(cleaning, "_SORTED_AT_ONCE", 7)
    actions, _ = clean(encode(log_of(random_rows(seed, users=9))), 1, 1)
    pairs = [row[:2] for row in rows_of(actions)]
    assert count_repeats(actions) == len(pairs) - len(set(pairs)) > 0
    empty = actions.filter(np.zeros(len(actions), bool))
    assert count_repeats(empty) == 0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("consecutive", [False, True])
def test_repeats_are_those_after_the_first_in_time_order(seed, consecutive):
    rows = random_rows(seed, users=4, items=5)
    found = is_repeat(encode(log_of(rows)), consecutive=consecutive)
    expected = {}
    for user in {row[0] for row in rows}:
        numbers = [n for n, row in enumerate(rows) if row[0] == user]
        before = []
        for number in sorted(numbers, key=lambda n: rows[n][2]):  # stable on ties
            item = rows[number][1]
            expected[number] = item in (before[-1:] if consecutive else before)
            before.append(item)
    assert found.tolist() == [expected[number] for number in range(len(rows))]
    assert found.any()


def test_what_becomes_of_repeats():
    rows = [("u", item, n) for n, item in enumerate("aabacc")]
    items = {
        which: "".join(
            row[1] for row in rows_of(clean(encode(log_of(rows)), 1, 1, which)[0])
        )
        for which in ("keep", "drop", "consecutive")
    }
    assert items == {"keep": "aabacc", "drop": "abc", "consecutive": "abac"}
    assert clean(encode(log_of(rows)), 1, 1, "drop")[1]["repeats"] == 3

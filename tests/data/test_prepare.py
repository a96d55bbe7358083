"""Preparation against brute force, and the datasets' published counts."""

import collections
import dataclasses
import itertools
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from emkd_tf.config import DataConfig
from emkd_tf.data import prepare as module
from emkd_tf.data.prepare import fingerprint, prepare
from emkd_tf.errors import InputError


def frame(rows):
    return pl.DataFrame(rows, schema=["user", "item", "time"], orient="row")


def random_log(seed, users=25, items=12, rows=150):
    rng = np.random.default_rng(seed)
    return frame(
        [
            (f"u{rng.integers(users)}", f"i{rng.integers(items)}", int(rng.integers(9)))
            for _ in range(rows)
        ]
    )


@pytest.fixture
def own(tmp_path, cache):
    path = tmp_path / "log.csv"
    random_log(0).write_csv(path)
    return DataConfig(
        dataset="log",
        interactions=str(path),
        cache_dir=cache,
        min_user_actions=3,
        min_item_actions=1,
    )


def test_ids_are_given_by_first_appearance(own):
    histories = prepare(own)
    items, users = histories.item_ids(), histories.user_ids()
    by_user = collections.defaultdict(list)
    seen = set()
    for row, (user, item, time) in enumerate(pl.read_csv(own.interactions).rows()):
        if (user, item, time) not in seen:
            seen.add((user, item, time))
            by_user[user].append((time, row, item))
    expected = {u: [i for *_, i in sorted(a)] for u, a in by_user.items() if len(a) > 2}
    assert users == list(expected)
    for number, user in enumerate(users):
        a, b = histories.offsets[number : number + 2]
        assert [items[i - 1] for i in histories.items[a:b]] == expected[user]
    assert list(dict.fromkeys(histories.items.tolist())) == list(
        range(1, len(items) + 1)
    )


def test_a_second_call_opens_what_the_first_wrote(own, monkeypatch):
    first = prepare(own)
    monkeypatch.setattr(module, "_write", None)
    assert prepare(own).folder == first.folder


def test_the_fingerprint_covers_options_and_bytes(own):
    base = prepare(own)
    for change in (
        {"min_user_actions": 4},
        {"min_item_actions": 2},
        {"user_column": "user"},
        {"time_column": "time"},
        {"dataset": "other"},
    ):
        other = dataclasses.replace(own, **change)
        assert fingerprint(other, {}) != fingerprint(own, {})
    assert fingerprint(own, {"a": "1"}) != fingerprint(own, {"a": "2"})
    # Not of how the model looks at the data.
    assert prepare(dataclasses.replace(own, max_length=7)).folder == base.folder
    with Path(own.interactions).open("a") as log:
        log.write("u0,i0,99\n")
    assert prepare(own).folder != base.folder


def test_nobody_left_and_nothing_half_written(own, cache):
    with pytest.raises(InputError, match="No user of `log` is left"):
        prepare(dataclasses.replace(own, min_user_actions=1000))
    with pytest.raises(InputError, match="must be three columns"):
        prepare(dataclasses.replace(own, time_column="item"))
    assert not list(Path(cache).rglob("*"))


def test_a_cache_that_cannot_be_written_is_one_line(own, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot be written.*--cache-dir"):
        prepare(dataclasses.replace(own, cache_dir=str(tmp_path / "file")))


def test_unknown_names_and_missing_files(own, cache):
    with pytest.raises(InputError, match="Did you mean `beauty`"):
        prepare(DataConfig(dataset="beuty", cache_dir=cache))
    with pytest.raises(InputError, match="does not exist"):
        prepare(dataclasses.replace(own, attributes="none.csv"))


def test_attributes_of_the_catalogue_alone(own, tmp_path):
    path = tmp_path / "items.csv"
    path.write_text("item,brand\ni1,x\ni1,y\ni2,x\nelsewhere,z\n")
    histories = prepare(dataclasses.replace(own, attributes=str(path)))
    assert histories.num_attributes == 2
    ids = histories.item_ids()
    counts = dict(zip(ids, np.diff(histories.attribute_offsets), strict=True))
    assert counts.pop("i1") == 2
    assert counts.pop("i2") == 1
    assert not any(counts.values())


PUBLISHED = [
    ("beauty", 5, 22_363, 12_101, 198_502, 637, 8.9, 16.4, 99.93),
    ("toys", 5, 19_412, 11_924, 167_597, 1_027, 8.6, 14.1, 99.93),
    ("ml-1m", 0, 6_040, 3_706, 1_000_209, 18, 165.6, 269.9, 95.53),
]


@pytest.mark.parametrize("row", PUBLISHED, ids=[row[0] for row in PUBLISHED])
def test_published_counts(shared_data, cache, row):
    name, min_item, *expected = row
    config = DataConfig(
        dataset=name,
        data_dir=str(shared_data),
        cache_dir=cache,
        min_item_actions=min_item,
    )
    description = prepare(config).description
    keys = ("users", "items", "actions", "attributes")
    shares = ("actions_per_user", "actions_per_item", "sparsity_percent")
    found = [description[key] for key in itertools.chain(keys, shares)]
    assert found == expected
    assert description["published"] == {key: description[key] for key in keys[:3]}

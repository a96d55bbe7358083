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
        user_core=3,
        item_core=1,
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


def test_a_folder_of_texts_is_the_file_of_their_rows(own, tmp_path):
    whole = prepare(own)
    lines = Path(own.interactions).read_text(encoding="utf-8").splitlines(keepends=True)
    folder = tmp_path / "days"
    folder.mkdir()
    for number, cut in enumerate((lines[1:100], lines[100:])):
        part = "".join([lines[0], *cut])
        (folder / f"{number}.csv").write_text(part, encoding="utf-8")
    config = dataclasses.replace(own, interactions=str(folder))
    found = prepare(config)
    np.testing.assert_array_equal(found.items, whole.items)
    assert found.item_ids() == whole.item_ids()
    (folder / "2.csv").write_text(lines[0] + "user1,item 1,99\n", encoding="utf-8")
    assert prepare(config).folder != found.folder


OPTIONS = {
    "user_core": 4,
    "item_core": 2,
    "user_column": "user",
    "item_column": "item",
    "time_column": "time",
    "rating_column": "time",
    "min_rating": 3.0,
    "since": "1",
    "until": "9",
    "duplicates": "drop",
    "attribute_item_column": "item",
    "attribute_columns": "brand",
    "split": "user",
    "dataset": "other",
}
# Where files are, and how the model looks at the data.
NO_OPTIONS = {"interactions", "attributes", "data_dir", "cache_dir"}
NO_OPTIONS |= {"max_length", "window_step", "rows", "history_order"}


def test_the_fingerprint_covers_every_option(own):
    fields = {field.name for field in dataclasses.fields(DataConfig)}
    assert fields == set(OPTIONS) | NO_OPTIONS | {"test_share"}
    found = {fingerprint(own, {})}
    for name, value in OPTIONS.items():
        found.add(fingerprint(dataclasses.replace(own, **{name: value}), {}))
    assert len(found) == len(OPTIONS) + 1
    same = dataclasses.replace(own, max_length=7, window_step=3, cache_dir="/x")
    assert fingerprint(same, {}) == fingerprint(own, {})
    shares = [dataclasses.replace(own, test_share=share) for share in (0.1, 0.2)]
    assert fingerprint(shares[0], {}) == fingerprint(shares[1], {})
    by_user = [dataclasses.replace(each, split="user") for each in shares]
    assert fingerprint(by_user[0], {}) != fingerprint(by_user[1], {})


def test_the_fingerprint_covers_the_content_of_every_file_and_its_role(own, tmp_path):
    """The log and the attributes have one name, in two folders."""
    logs, brands = [], []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        logs.append(folder / "log.csv")
        random_log(number).write_csv(logs[-1])
        (folder / "items").mkdir()
        brands.append(folder / "items" / "log.csv")
        brands[-1].write_text(f"item,brand\ni1,x{number}\n")

    def folder_of(log, attributes):
        config = dataclasses.replace(
            own, interactions=str(log), attributes=attributes and str(attributes)
        )
        return prepare(config).folder

    def content(folder):
        return [
            (folder / name).read_bytes() for name in ("items.npy", "attributes.json")
        ]

    pairs = list(itertools.product(logs, [*brands, None]))
    folders = [folder_of(*pair) for pair in pairs]
    assert len(set(folders)) == len(pairs)
    assert len({tuple(content(folder)) for folder in folders}) == len(pairs)
    assert [folder_of(*pair) for pair in pairs] == folders
    # Two files that swap their names, and one that changes in place.
    kept = [log.read_bytes() for log in logs]
    for log, other in zip(logs, kept[::-1], strict=True):
        log.write_bytes(other)
    swapped = [folder_of(*pair) for pair in pairs]
    assert swapped == folders[3:] + folders[:3]
    brands[0].write_text("item,brand\ni1,changed\n")
    changed = folder_of(logs[0], brands[0])
    assert changed not in folders
    assert (changed / "attributes.json").read_text() == '[\n  "brand=changed"\n]\n'


def test_a_log_and_attributes_that_swap_their_files_are_other_data(own):
    hashes = {"interactions": "1", "attributes": "2"}
    swapped = {"interactions": "2", "attributes": "1"}
    assert fingerprint(own, hashes) != fingerprint(own, swapped)
    assert fingerprint(own, hashes) != fingerprint(own, {"interactions": "1"})


def test_nobody_left_and_nothing_half_written(own, cache):
    with pytest.raises(InputError, match="No user of `log` is left"):
        prepare(dataclasses.replace(own, user_core=1000))
    with pytest.raises(InputError, match="must be different columns"):
        prepare(dataclasses.replace(own, time_column="item"))
    assert not list(Path(cache, "prepared").glob("*"))


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
        item_core=min_item,
    )
    description = prepare(config).description
    keys = ("users", "items", "actions", "attributes")
    shares = ("actions_per_user", "actions_per_item", "sparsity_percent")
    found = [description[key] for key in itertools.chain(keys, shares)]
    assert found == expected
    assert description["published"] == {key: description[key] for key in keys[:3]}


def log_of(path, rows):
    frame(rows).write_csv(path)
    return str(path)


def test_repeats_count_once_for_the_sparsity(own, tmp_path):
    rows = [(f"u{u}", f"i{n % 2}", n) for u in range(3) for n in range(8)]
    path = log_of(tmp_path / "repeats.csv", rows)
    found = prepare(dataclasses.replace(own, interactions=path)).description
    assert (found["actions"], found["repeats"]) == (24, 24 - 6)
    assert found["sparsity_percent"] == 0


def test_a_float_in_the_attributes_is_the_whole_number_of_the_log(own, tmp_path):
    rows = [("u", item, n) for n, item in enumerate(["17", "18.0", "019", "1.5", "20"])]
    log = log_of(tmp_path / "log.csv", rows)
    brands = tmp_path / "items.csv"
    items = ["17.0", "18", "19", "1.50", "20.0", "20"]
    brands.write_text("item,brand\n" + "".join(f"{i},b{i}\n" for i in items))
    histories = prepare(
        dataclasses.replace(own, interactions=log, attributes=str(brands))
    )
    has = dict(
        zip(histories.item_ids(), np.diff(histories.attribute_offsets), strict=True)
    )
    assert has == {"17": 1, "18.0": 1, "019": 0, "1.5": 0, "20": 2}


def test_how_the_files_were_read_stands_in_the_description(own, tmp_path):
    lines = [f"x,u{u},i{i},t,{i}" for u in range(4) for i in range(4)]
    log = tmp_path / "log.csv"
    text = "\n".join(["user,user_id,item_id,item,time", *lines, "x,nan,i1,t,1"])
    log.write_text(text + "\n")
    items = tmp_path / "items.csv"
    rows = [f"i{i},Thing {i},{i}.5,red" for i in range(4)]
    items.write_text("\n".join(["item_id,title,price,colour", *rows]))
    found = prepare(
        dataclasses.replace(own, interactions=str(log), attributes=str(items))
    ).description
    assert found["columns"] == {"user": "user_id", "item": "item_id", "time": "time"}
    assert found["unused_columns"] == ["user", "item"]
    assert found["dropped_rows"]["no user"] == 1
    assert found["first_dropped"] == {"no user": f"{log} line 18"}
    assert found["attribute_columns"] == ["colour"]
    assert found["attribute_columns_left_out"] == {
        "title": "free text",
        "price": "numbers on a scale",
    }
    assert set(found["inputs"]) == {"interactions", "attributes"}
    assert found["items_with_attributes"] == 4

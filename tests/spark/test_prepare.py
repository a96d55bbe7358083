"""What Spark prepares, byte for byte what this process prepares."""

import filecmp
import functools

import numpy as np
import polars as pl
import pytest

from emkd_tf.config import DataConfig
from emkd_tf.data.prepare import prepare
from emkd_tf.errors import InputError
from emkd_tf.spark import pieces
from emkd_tf.spark.prepare import HISTORIES, engine

pytestmark = pytest.mark.slow


def log(rows=1500, users=90, items=50, seed=0):
    """Actions with ties in time, equal rows, repeats and rows without an id."""
    rng = np.random.default_rng(seed)
    frame = pl.DataFrame(
        {
            "user": [f"ü {i}" for i in rng.integers(0, users, rows)],
            "item": [f"{i:03}" for i in rng.zipf(1.4, rows) % items],
            "rating": rng.integers(1, 6, rows),
            "time": rng.integers(1_500_000_000, 1_500_000_300, rows),
        }
    )
    nothing = pl.int_range(rows) % 101 == 7
    return frame.with_columns(user=pl.when(~nothing).then("user"))


@pytest.fixture
def both(spark, tmp_path, monkeypatch):
    """Prepares with both engines, compares all files and returns the histories."""
    monkeypatch.setattr(pieces.text_pieces, "__defaults__", (5000,))
    monkeypatch.setattr(pieces.parquet_pieces, "__defaults__", (400,))

    def run(path, **settings):
        found = [
            prepare(
                DataConfig(
                    dataset="log",
                    interactions=str(path),
                    cache_dir=str(tmp_path / name),
                    **settings,
                ),
                *own,
            )
            for name, own in (
                ("local", ()),
                ("spark", (functools.partial(engine, spark),)),
            )
        ]
        local, other = (histories.folder for histories in found)
        names = sorted(path.name for path in local.iterdir())
        assert sorted(p.name for p in other.iterdir()) == sorted([*names, HISTORIES])
        _, different, missing = filecmp.cmpfiles(local, other, names, shallow=False)
        assert (different, missing) == ([], [])
        return found[1]

    return run


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"duplicates": "drop", "user_core": 3, "item_core": 2},
        {"duplicates": "consecutive", "min_rating": 3.0},
        {"split": "global_time", "since": "1500000020"},
        {"split": "user", "user_core": 0, "item_core": 0},
    ],
    ids=str,
)
def test_a_csv_file_with_every_option(both, tmp_path, settings):
    log().write_csv(tmp_path / "log.csv")
    histories = both(tmp_path / "log.csv", **settings)
    assert histories.num_users > 20


def test_the_parts_hold_the_histories_in_order(both, tmp_path):
    log().write_csv(tmp_path / "log.csv")
    histories = both(tmp_path / "log.csv")
    parts = pl.read_parquet(sorted((histories.folder / HISTORIES).glob("*.parquet")))
    assert parts["user"].to_list() == histories.user_ids()
    names = histories.item_ids()
    assert parts["items"].explode().to_list() == histories.items.tolist()
    expected = [names[number - 1] for number in histories.items]
    assert parts["history"].explode().to_list() == expected


def write(frame, path, kind):
    if kind == "folder":
        path.mkdir()
        for number in range(3):
            frame[number * 500 : (number + 1) * 500].write_parquet(
                path / f"part-{number}.parquet"
            )
    elif kind == "dates":
        frame.with_columns(pl.from_epoch("time")).write_parquet(path)
    elif kind == "floats":
        frame.with_columns(pl.col("time") + 0.25).write_csv(path, separator="\t")
    elif kind == "jsonl":
        frame.write_ndjson(path)
    elif kind == "lists":
        frame.drop_nulls().group_by("user", maintain_order=True).agg("item").rename(
            {"item": "items"}
        ).write_parquet(path)
    elif kind == "bars":  # no header, no times, quotes that are characters
        text = "".join(f'{u}::{i} 7"::{r}::{t}\n' for u, i, r, t in frame.iter_rows())
        path.write_text(text)
    elif kind == "quotes":
        frame.with_columns(item='a "b", ' + pl.col("item")).write_csv(path)


@pytest.mark.parametrize(
    "kind", ["folder", "dates", "floats", "jsonl", "lists", "bars", "quotes"]
)
def test_every_kind_that_is_read_in_pieces(both, tmp_path, kind):
    write(log(), tmp_path / "log", kind)
    items = sorted(log()["item"].unique())
    attributes = tmp_path / "items.csv"
    rows = {"item": items, "kind": [f"k{n % 3}" for n in range(len(items))]}
    pl.DataFrame(rows).write_csv(attributes)
    settings = {} if kind in ("bars", "quotes") else {"attributes": str(attributes)}
    both(tmp_path / "log", **settings)


def test_a_text_of_several_pieces_with_blank_lines_at_their_ends(both, tmp_path):
    text = log().write_csv(line_terminator="\r\n").replace("\n", "\n\r\n", 9)
    (tmp_path / "log.csv").write_bytes(("\ufeff" + text).encode())
    both(tmp_path / "log.csv")


def test_what_is_wrong_is_said_as_in_this_process(spark, tmp_path, monkeypatch):
    monkeypatch.setattr(pieces.text_pieces, "__defaults__", (5000,))
    path = tmp_path / "log.csv"
    log().with_columns(
        time=pl.when(pl.int_range(pl.len()) == 1200)
        .then(pl.lit("soon"))
        .otherwise(pl.col("time").cast(pl.String))
    ).write_csv(path)
    config = DataConfig(interactions=str(path), cache_dir=str(tmp_path / "cache"))
    said = []
    for own in ((), (functools.partial(engine, spark),)):
        with pytest.raises(InputError) as caught:
            prepare(config, *own)
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert "line 1202: column 'time' holds 'soon'" in said[0]
    with pytest.raises(InputError, match="prepares a log of your own"):
        prepare(
            DataConfig(cache_dir=str(tmp_path / "c")), functools.partial(engine, spark)
        )
    assert not list((tmp_path / "cache" / "prepared").glob("*"))

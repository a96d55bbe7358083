"""Every layout of a log and of attributes ends in the prepared data of the same as CSV.

Each writer makes a small file as the layout's own publisher does.
"""

import gzip
import json
import os
import subprocess
import sys
import sysconfig
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from emkd_tf.config import DataConfig
from emkd_tf.data.movielens import GENRES_100K
from emkd_tf.data.prepare import prepare

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
DAY = 86_400
FIRST = 1_400_000_000


def log_rows(seed=0):
    """Rows (user, item, rating, time) with numbers as ids, in no order, times apart."""
    rng = np.random.default_rng(seed)
    rows = [
        (user, int(item), int(rng.integers(1, 6)), FIRST + DAY * (100 * user + place))
        for user in range(1, 13)
        for place, item in enumerate(rng.permutation(9)[: rng.integers(4, 9)] + 1)
    ]
    return [rows[n] for n in rng.permutation(len(rows))]


ROWS = log_rows()
GENRES = {n: [g for g in GENRES_100K[1:5] if len(g) % 3 != n % 3] for n in range(1, 10)}


def lines(rows, separator=",", header=None):
    first = [header] if header else []
    return "\n".join([*first, *(separator.join(map(str, row)) for row in rows)]) + "\n"


def text(content, encoding="utf-8"):
    return lambda path: path.write_bytes(content.encode(encoding))


def frame(**kinds):
    columns = list(zip(*ROWS, strict=True))
    names = ("user_id", "item_id", "rating", "timestamp")
    found = pl.DataFrame(dict(zip(names, map(list, columns), strict=True)))
    return found.with_columns(**kinds)


def compressed(by):
    def write(path):
        content = lines(ROWS, header=HEADER).encode()
        if by == "gzip":
            path.write_bytes(gzip.compress(content))
        else:
            pl.read_csv(content).write_csv(path, compression="zstd")

    return write


def parquet_folder(path):
    path.mkdir()
    half = len(ROWS) // 2
    frame()[:half].write_parquet(path / "part-00000.parquet")
    frame()[half:].write_parquet(path / "part-00001.parquet")
    (path / "_SUCCESS").write_text("")


def by_user():
    """Every user's items in time order, users as the log has them first."""
    users = {row[0]: [] for row in ROWS}
    for user, item, _, _ in sorted(ROWS, key=lambda row: row[3]):
        users[user].append(item)
    return users


def list_column(path):
    users = by_user()
    pl.DataFrame(
        {"user_id": list(users), "item_ids": list(users.values())}
    ).write_parquet(path)


def records(*names, line=json.dumps, form="\n".join):
    def write(path):
        found = [dict(zip(names, row, strict=True)) for row in ROWS]
        content = form(map(line, found)) if form else line(found)
        content = content.encode()
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)

    return write


def iso(form):
    def told(time):
        return datetime.fromtimestamp(time, timezone.utc).strftime(form)

    return text(lines([(*r[:3], told(r[3])) for r in ROWS], header=HEADER))


HEADER = "user_id,item_id,rating,timestamp"
TIME = pl.from_epoch("timestamp")
AMAZON_2014 = ("reviewerID", "asin", "overall", "unixReviewTime")
AMAZON_2023 = ("user_id", "parent_asin", "rating", "timestamp")
RECBOLE = "user_id:token\titem_id:token\trating:float\ttimestamp:float"
LOGS = {
    "tabs": ("log.tsv", text(lines(ROWS, "\t", HEADER.replace(",", "\t")))),
    "semicolons": ("log.csv", text(lines(ROWS, ";", HEADER.replace(",", ";")))),
    "bars": ("log.txt", text(lines(ROWS, "|", HEADER.replace(",", "|")))),
    "gzip": ("log.csv.gz", compressed("gzip")),
    "Zstandard": ("log.csv.zst", compressed("zstd")),
    "no header": ("log.csv", text(lines(ROWS))),
    "padded header": ("log.csv", text(lines(ROWS, header=HEADER.replace(",", " , ")))),
    "blank lines": ("log.csv", text(lines(ROWS, header=HEADER).replace("\n", "\n\n"))),
    "byte order mark": ("log.csv", text("\ufeff" + lines(ROWS, header=HEADER))),
    "Windows": ("log.csv", text(lines(ROWS, header=HEADER).replace("\n", "\r\n"))),
    "quotes": (
        "log.csv",
        text(lines([[f'"{x}"' for x in row] for row in ROWS], header=HEADER)),
    ),
    "Parquet": ("log.pq", lambda path: frame().write_parquet(path)),
    "Parquet with datetimes": (
        "log.parquet",
        lambda path: frame(timestamp=TIME).write_parquet(path),
    ),
    "Parquet with zones": (
        "log.parquet",
        lambda path: frame(
            timestamp=TIME.dt.replace_time_zone("UTC").dt.convert_time_zone(
                "Asia/Tokyo"
            )
        ).write_parquet(path),
    ),
    "Parquet with floats beside missing values": (
        "log.parquet",
        lambda path: frame(item_id=pl.col("item_id").cast(float)).write_parquet(path),
    ),
    "a folder of Parquet": ("log", parquet_folder),
    "Arrow": ("log.feather", lambda path: frame().write_ipc(path)),
    "Arrow stream": ("log.arrows", lambda path: frame().write_ipc_stream(path)),
    "JSON": ("log.json", records(*HEADER.split(","), form=None)),
    "indented JSON": (
        "log.json",
        records(
            *HEADER.split(","),
            line=lambda found: json.dumps(found, indent=2),
            form=None,
        ),
    ),
    "JSON lines": ("log.jsonl", records(*HEADER.split(","))),
    "RecBole": ("shop.inter", text(lines(ROWS, "\t", RECBOLE))),
    "MovieLens 100K": ("u.data", text(lines(ROWS, "\t"))),
    "MovieLens 1M": ("ratings.dat", text(lines(ROWS, "::"))),
    "MovieLens 20M": (
        "ratings.csv",
        text(lines(ROWS, header="userId,movieId,rating,timestamp")),
    ),
    "Amazon 2014": ("reviews_X_5.json.gz", records(*AMAZON_2014)),
    "Amazon 2014 as Python": ("reviews_X.json.gz", records(*AMAZON_2014, line=str)),
    "Amazon 2018": ("X_5.json.gz", records(*AMAZON_2014)),
    "Amazon 2023": ("X.jsonl.gz", records(*AMAZON_2023)),
    "milliseconds": (
        "log.csv",
        text(lines([(*r[:3], r[3] * 1000 + 7) for r in ROWS], header=HEADER)),
    ),
    "fractions of seconds": (
        "log.csv",
        text(lines([(*r[:3], r[3] + 0.25) for r in ROWS], header=HEADER)),
    ),
    "dates": ("log.csv", iso("%Y-%m-%d")),
    "dates and times": ("log.csv", iso("%Y-%m-%d %H:%M:%S")),
    "ISO 8601 in UTC": ("log.csv", iso("%Y-%m-%dT%H:%M:%SZ")),
}
# The users in another order, and no times: histories alone are compared.
SEQUENCES = {
    "S3-Rec": ("log.txt", text(lines([(u, *i) for u, i in by_user().items()], " "))),
    "a list of items a user": ("log.parquet", list_column),
    "pairs in time order": (
        "log.txt",
        text(lines([(u, i) for u, items in by_user().items() for i in items], " ")),
    ),
}


def prepared(path, cache, **options):
    config = DataConfig(
        dataset="log",
        interactions=str(path),
        cache_dir=cache,
        user_core=3,
        item_core=2,
        **options,
    )
    return prepare(config)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("plain") / "log.csv"
    path.write_text(lines(ROWS, header=HEADER))
    return path


@pytest.fixture(scope="module")
def as_csv(log):
    return prepared(log, str(log.parent / "cache"))


def content(histories):
    names = ("items.npy", "offsets.npy", "item_ids.txt", "user_ids.txt")
    return {name: (histories.folder / name).read_bytes() for name in names}


@pytest.mark.parametrize("layout", LOGS)
def test_a_log_in_any_layout(layout, tmp_path, cache, as_csv):
    name, write = LOGS[layout]
    write(tmp_path / name)
    found = prepared(tmp_path / name, cache)
    assert content(found) == content(as_csv)
    assert found.folder.name != as_csv.folder.name


def histories_of(found):
    items, bounds = (
        found.item_ids(),
        zip(found.offsets, found.offsets[1:], strict=False),
    )
    lists = [[items[i - 1] for i in found.items[a:b]] for a, b in bounds]
    return dict(zip(found.user_ids(), lists, strict=True))


@pytest.mark.parametrize("layout", SEQUENCES)
def test_items_in_order_without_times(layout, tmp_path, cache, as_csv):
    name, write = SEQUENCES[layout]
    write(tmp_path / name)
    found = prepared(tmp_path / name, cache)
    assert histories_of(found) == histories_of(as_csv)
    assert "time" not in found.description["columns"]


def movies_100k(path):
    rows = []
    for number, genres in GENRES.items():
        flags = [int(genre in genres) for genre in GENRES_100K]
        rows.append(
            (number, f"Müvie {number} (1995)", "01-Jan-1995", "", "http://x", *flags)
        )
    path.write_bytes(lines(rows, "|").encode("latin-1"))


def movies(separator, header=None, encoding="utf-8"):
    rows = [(n, f"Müvie {n} (1995)", "|".join(g)) for n, g in GENRES.items()]
    return text(lines(rows, separator, header), encoding)


def metadata(line, **names):
    """Amazon's files: the first category is that of all, others are the genres."""

    def write(path):
        found = []
        for number, genres in GENRES.items():
            record = {
                names["item"]: str(number),
                "title": f"A thing of number {number}",
                "price": number + 0.5,
                names["categories"]: ["Shop", *genres],
                "brand": f"b{number % 3}",
            }
            if names.get("nested"):
                paths = [["Shop", genre] for genre in genres]
                record[names["categories"]] = paths or [["Shop"]]
            if names.get("details"):
                record["details"] = {"Brand": record.pop("brand"), "Size": "9"}
                record["store"] = "another"
            found.append(record)
        content = "\n".join(map(line, found)).encode()
        path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)

    return write


def lists_in_parquet(path):
    pl.DataFrame(
        {"movie_id": list(GENRES), "genres": list(GENRES.values())}
    ).write_parquet(path)


def recbole_items(path):
    rows = [(n, " ".join(genres), n / 3) for n, genres in GENRES.items()]
    path.write_text(lines(rows, "\t", "item_id:token\tgenres:token_seq\tprice:float"))


def json_lines(path):
    found = [{"movieId": n, "genres": genres} for n, genres in GENRES.items()]
    path.write_text("\n".join(map(json.dumps, found)))


ATTRIBUTES = {
    "MovieLens 100K": ("u.item", movies_100k),
    "MovieLens 1M": ("movies.dat", movies("::", encoding="latin-1")),
    "MovieLens 10M": ("movies.dat", movies("::")),
    "MovieLens 20M": ("movies.csv", movies(",", "movieId,title,genres")),
    "lists in Parquet": ("items.parquet", lists_in_parquet),
    "RecBole": ("shop.item", recbole_items),
    "JSON lines": ("items.jsonl", json_lines),
}
AMAZON = {
    "2014": (
        "meta.json.gz",
        metadata(str, item="asin", categories="categories", nested=1),
    ),
    "2018": ("meta.json.gz", metadata(json.dumps, item="asin", categories="category")),
    "2023": (
        "meta.jsonl",
        metadata(json.dumps, item="parent_asin", categories="categories", details=1),
    ),
}


def attributes_of(found):
    names = json.loads((found.folder / "attributes.json").read_text())
    bounds = zip(found.attribute_offsets, found.attribute_offsets[1:], strict=False)
    lists = [{names[v] for v in found.attribute_values[a:b]} for a, b in bounds]
    return dict(zip(map(int, found.item_ids()), lists, strict=True))


@pytest.mark.parametrize("layout", ATTRIBUTES)
def test_attributes_in_any_layout(layout, tmp_path, cache, log):
    name, write = ATTRIBUTES[layout]
    write(tmp_path / name)
    found = prepared(log, cache, attributes=str(tmp_path / name))
    expected = {
        n: {f"genres={genre}" for genre in GENRES[n]} for n in attributes_of(found)
    }
    assert attributes_of(found) == expected


@pytest.mark.parametrize("year", AMAZON)
def test_metadata_of_amazon(year, tmp_path, cache, log):
    name, write = AMAZON[year]
    write(tmp_path / name)
    found = prepared(log, cache, attributes=str(tmp_path / name))
    expected = {n: {*GENRES[n], f"b{n % 3}"} for n in attributes_of(found)}
    assert attributes_of(found) == expected


def test_s3rec_with_its_attributes(tmp_path, cache):
    name, write = SEQUENCES["S3-Rec"]
    write(tmp_path / name)
    attributes = tmp_path / "log_item2attributes.json"
    attributes.write_text(json.dumps({str(n): g for n, g in GENRES.items()}, indent=1))
    found = prepared(tmp_path / name, cache, attributes=str(attributes))
    assert attributes_of(found) == {n: set(GENRES[n]) for n in attributes_of(found)}


@pytest.mark.slow
def test_the_cases_of_other_peoples_logs():
    if not CASES.is_dir():
        pytest.skip(f"no cases in {CASES}")
    command = [sys.executable, str(CASES / "check.py")]
    # The cases call `emkd`; the environment of this Python has it, on PATH or not.
    scripts = sysconfig.get_path("scripts")
    places = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=places
    )
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert (done.returncode, failed) == (0, [])

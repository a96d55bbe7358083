"""Folders of text tables against one file of the same rows; of Parquet whose columns
changed from file to file, against what was written."""

import gzip
import json
import pickle
from datetime import date, datetime

import polars as pl
import pytest

from emkd_tf.config import DataConfig
from emkd_tf.data.interactions import read_interactions
from emkd_tf.data.tables import scan_table
from emkd_tf.errors import InputError

ROWS = [(f"u{n % 3}", f"0{n}", n) for n in range(9)]
NAMES = ("user", "item", "time")


def text(rows, header=True):
    lines = [",".join(map(str, row)) for row in rows]
    return "\n".join([*([",".join(NAMES)] if header else []), *lines]) + "\n"


def read(folder):
    log = read_interactions(DataConfig(dataset="log", interactions=str(folder)))
    return log, log.actions.collect().rows()


@pytest.mark.parametrize("header", [True, False])
def test_parts_of_a_log_are_read_in_the_order_of_their_names(tmp_path, header):
    days = tmp_path / "days"
    for number in (2, 0, 1):
        day = days / f"day={number}"
        day.mkdir(parents=True)
        part = text(ROWS[3 * number :][:3], header).encode()
        name, part = ("a.csv.gz", gzip.compress(part)) if number else ("a.csv", part)
        (day / name).write_bytes(part)
    (days / "_SUCCESS").write_text("")
    (days / "README.txt").write_text("notes")
    (days / "part-9.csv").write_text("")
    whole = tmp_path / "whole.csv"
    whole.write_text(text(ROWS, header))
    assert read(days)[1] == read(whole)[1] == ROWS


def test_records_may_have_more_keys_later(tmp_path):
    records = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
    (tmp_path / "0.jsonl").write_text("".join(f"{json.dumps(r)}\n" for r in records))
    late = {"device": "tv", **records[0], "time": 99}
    (tmp_path / "1.jsonl").write_text(f"{json.dumps(late)}\n")
    log, rows = read(tmp_path)
    assert rows == [*ROWS, ("u0", "00", 99)]
    assert log.unused == ["device"]


def test_a_damaged_record_is_named_in_its_file(tmp_path):
    line = '{"user": "u", "item": "i", "time": 1}\n'
    (tmp_path / "0.jsonl").write_text(line)
    (tmp_path / "1.jsonl").write_text(2000 * line + '{"user": \n')
    with pytest.raises(InputError, match=r"1\.jsonl line 2001 is not a JSON object"):
        read(tmp_path)


def test_a_bad_row_is_named_in_its_file(tmp_path):
    (tmp_path / "0.csv").write_text(text(ROWS))
    (tmp_path / "1.csv").write_text("user,item,time\nu,i,1\nu,j,soon\n")
    with pytest.raises(InputError, match=r"1\.csv line 3: column 'time' holds 'soon'"):
        read(tmp_path)
    (tmp_path / "1.csv").write_text("user,item,time\nu,i,1\nu,j,\n")
    log, rows = read(tmp_path)
    assert len(rows) == len(ROWS) + 1
    assert log.dropped.first == {"no time": f"{tmp_path / '1.csv'} line 3"}


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ("movieId,title\n1,x\n", r"1\.csv has no column 'user', which other files"),
        ("who,item,time\nu,i,1\n", r"1\.csv has no column 'user', which other files"),
        ("u1,01,5\n", r"1\.csv \(csv without a header\) do not form one table"),
        ("u\n" * 3, r"1\.csv"),
    ],
)
def test_files_of_other_tables_are_refused(tmp_path, other, message):
    (tmp_path / "0.csv").write_text(text(ROWS))
    (tmp_path / "1.csv").write_text(other)
    with pytest.raises(InputError, match=message) as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)


def test_what_no_text_is_in_a_folder_is_refused_as_alone(tmp_path):
    (tmp_path / "0.csv").write_text(text(ROWS))
    (tmp_path / "1.csv").write_bytes(text(ROWS).encode("utf-16"))
    with pytest.raises(InputError, match=r"1\.csv is not UTF-8.* iconv -f UTF-16"):
        read(tmp_path)


def test_names_of_folders_hold_columns(tmp_path):
    for time in ("2024-01-02T00%3A30", "2024-01-01T00%3A10"):
        part = tmp_path / f"time={time}" / "user=x"
        part.mkdir(parents=True)
        (part / "0.csv").write_text(f"user,item\nu,{time[9]}\n")
    log, _ = read(tmp_path)
    assert log.columns == {"user": "user", "item": "item", "time": "time"}
    part = tmp_path / "time=__HIVE_DEFAULT_PARTITION__"
    part.mkdir()
    (part / "0.csv").write_text("user,item\nu,3\n")
    log, rows = read(tmp_path)
    assert [row[:2] for row in rows] == [("u", "1"), ("u", "2")]
    assert rows[1][2] - rows[0][2] == (24 * 60 + 20) * 60 * 10**6
    assert log.dropped.counts == {"no time": 1}


def test_the_columns_of_a_folder(tmp_path):
    (tmp_path / "0.csv").write_text("user,item\nu,i\n")
    (tmp_path / "1.csv").write_text("item,user,x\nj,v,1\n")
    table = scan_table(tmp_path)
    assert table.columns == ["user", "item", "x"]
    assert table.collect(table.frame).rows() == [("u", "i", None), ("v", "j", "1")]
    assert table.lacking == {"x": tmp_path / "0.csv"}


START = datetime(2024, 1, 31, 12, 0, 0, 5000)
US, NS = pl.Datetime("us"), pl.Datetime("ns")
# Of the first file and of the second: values and type; and what the table has of them.
PARTS = {
    "integers": (([1], pl.Int32), ([2**40], pl.Int64), [1, 2**40]),
    "integers with and without a sign": (
        *(([-1], pl.Int64), ([2**63], pl.UInt64)),
        [-1, 2**63],
    ),
    "floats": (([0.5], pl.Float32), ([0.1], pl.Float64), [0.5, 0.1]),
    "times": (([START], US), ([START], pl.Datetime("ms")), [START, START]),
    "integers and texts": (([17], pl.Int64), (["017"], pl.String), ["17", "017"]),
    "integers and floats": (
        *(([2**53 + 1], pl.Int64), ([17.0], pl.Float64)),
        ["9007199254740993", "17"],
    ),
    "floats and texts": (([3.0], pl.Float64), (["3"], pl.String), ["3", "3"]),
    "texts and categories": ((["a"], pl.String), (["b"], pl.Categorical), ["a", "b"]),
    "nothing": (([None], pl.Null), ([5], pl.Int64), [None, 5]),
    "days and times": (
        *(([date(2024, 1, 31)], pl.Date), ([START], US)),
        ["2024-01-31", "2024-01-31 12:00:00.005000"],
    ),
    "lists": (
        *(([[1, 2]], pl.List(pl.Int32)), ([[3]], pl.List(pl.Int64))),
        [[1, 2], [3]],
    ),
}


def write(folder, *parts):
    files = []
    for number, columns in enumerate(parts):
        files.append(folder / f"part-{number}.parquet")
        pl.DataFrame(columns).write_parquet(files[-1])
    return files


@pytest.mark.parametrize("case", PARTS)
def test_types_that_changed_become_one(tmp_path, case):
    *parts, expected = PARTS[case]
    columns = [{"x": pl.Series(values, dtype=dtype)} for values, dtype in parts]
    files = write(tmp_path, *columns)
    table = scan_table(tmp_path)
    whole = table.frame.collect(engine="streaming")
    assert whole["x"].to_list() == expected
    # In any process.
    open_part = pickle.loads(pickle.dumps(table.open_part))
    again = pl.concat([open_part(file, 0, 1).collect() for file in files])
    assert again.equals(whole)
    assert again.schema == whole.schema


def test_the_finest_times_are_kept(tmp_path):
    moment = pl.Series([1_700_000_000_123_456_789]).cast(NS)
    write(tmp_path, {"time": [START]}, {"time": moment})
    frame = scan_table(tmp_path).frame
    assert frame.collect()["time"].to_physical()[1] == 1_700_000_000_123_456_789


def test_a_column_that_came_later_is_null_before(tmp_path):
    parts = ({"a": [1], "b": [2]}, {"c": ["x"], "a": [3]})
    files = write(tmp_path, *parts)
    table = scan_table(tmp_path)
    assert table.lacking == {"b": files[1], "c": files[0]}
    assert table.frame.collect().rows() == [(1, 2, None), (3, None, "x")]
    assert table.open_part(files[1], 0, 9).collect().rows() == [(3, None, "x")]
    assert table.open_part(files[1], 1, 9).collect().is_empty()


def test_columns_in_the_names_of_folders(tmp_path):
    for day, value in (("1", 5), ("02", "x")):
        folder = tmp_path / f"day={day}"
        folder.mkdir()
        write(folder, {"a": [value]})
    frame = scan_table(tmp_path).frame
    found = frame.select("day", "a").collect()
    assert sorted(found.rows()) == [("02", "x"), ("1", "5")]


def test_lists_beside_single_values_are_refused(tmp_path):
    write(tmp_path, {"a": [[1]]}, {"a": [1]})
    with pytest.raises(InputError, match=r"Column 'a' is in .*part-0.parquet as List"):
        scan_table(tmp_path)


def test_a_damaged_file_is_named(tmp_path):
    files = write(tmp_path, {"a": [1]}, {"a": [1]})
    files[1].write_bytes(files[1].read_bytes()[:20])
    with pytest.raises(InputError, match=r"part-1.parquet cannot be read as parquet"):
        scan_table(tmp_path)


def test_a_bad_row_of_parquet_is_named_in_its_file(tmp_path):
    write(tmp_path, {"user": ["u"], "item": ["i"]}, {"user": ["v"], "item": ["a\nb"]})
    with pytest.raises(InputError, match=r"part-1.parquet row 0: column 'item' has a"):
        read(tmp_path)

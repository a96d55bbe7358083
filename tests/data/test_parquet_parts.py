"""Parquet whose columns changed from file to file, against what was written."""

import pickle
from datetime import date, datetime

import polars as pl
import pytest

from emkd_tf.data.parquet_parts import scan_parquet
from emkd_tf.errors import InputError

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
    frame, open_part, _ = scan_parquet(files, in_names=False)
    whole = frame.collect(engine="streaming")
    assert whole["x"].to_list() == expected
    # In any process.
    open_part = pickle.loads(pickle.dumps(open_part))
    again = pl.concat([open_part(file, 0, 1).collect() for file in files])
    assert again.equals(whole)
    assert again.schema == whole.schema


def test_the_finest_times_are_kept(tmp_path):
    moment = pl.Series([1_700_000_000_123_456_789]).cast(NS)
    files = write(tmp_path, {"time": [START]}, {"time": moment})
    frame, *_ = scan_parquet(files, in_names=False)
    assert frame.collect()["time"].to_physical()[1] == 1_700_000_000_123_456_789


def test_a_column_that_came_later_is_null_before(tmp_path):
    parts = ({"a": [1], "b": [2]}, {"c": ["x"], "a": [3]})
    files = write(tmp_path, *parts)
    frame, open_part, lacking = scan_parquet(files, in_names=False)
    assert lacking == {"b": files[1], "c": files[0]}
    assert frame.collect().rows() == [(1, 2, None), (3, None, "x")]
    assert open_part(files[1], 0, 9).collect().rows() == [(3, None, "x")]
    assert open_part(files[1], 1, 9).collect().is_empty()


def test_columns_in_the_names_of_folders(tmp_path):
    for day, value in (("1", 5), ("02", "x")):
        folder = tmp_path / f"day={day}"
        folder.mkdir()
        write(folder, {"a": [value]})
    files = sorted(tmp_path.rglob("*.parquet"))
    frame, *_ = scan_parquet(files, in_names=True)
    found = frame.select("day", "a").collect()
    assert sorted(found.rows()) == [("02", "x"), ("1", "5")]


def test_lists_beside_single_values_are_refused(tmp_path):
    files = write(tmp_path, {"a": [[1]]}, {"a": [1]})
    with pytest.raises(InputError, match=r"Column 'a' is in .*part-0.parquet as List"):
        scan_parquet(files, in_names=False)


def test_a_damaged_file_is_named(tmp_path):
    files = write(tmp_path, {"a": [1]}, {"a": [1]})
    files[1].write_bytes(files[1].read_bytes()[:20])
    with pytest.raises(InputError, match=r"part-1.parquet cannot be read as parquet"):
        scan_parquet(files, in_names=False)

"""The rows of a log, read by what its columns are."""

import json
from datetime import date, datetime, time

import polars as pl
import pytest

from emkd_tf.data.log_rows import read_rows, rows_of
from emkd_tf.data.tables import scan_table
from emkd_tf.errors import InputError

COLUMNS = {"user": "user", "item": "item", "time": "time"}


def read(tmp_path, frame, columns=COLUMNS):
    path = tmp_path / "log.parquet"
    pl.DataFrame(frame).write_parquet(path)
    table = scan_table(path)
    rows = read_rows(table, columns)
    return rows, rows_of(table, columns, rows.reader).frame.collect()


def test_rows_are_as_in_the_file_with_nulls_for_what_is_missing(tmp_path):
    frame = {"user": [1, None], "item": ["nan", "b"], "time": [2.5, None]}
    rows, found = read(tmp_path, frame)
    assert found.select("user", "item", "time").rows() == [
        ("1", None, 2.5),
        (None, "b", None),
    ]
    assert (rows.found["rows"], rows.found["no user"], rows.found["no item"]) == (
        2,
        1,
        1,
    )
    assert (rows.found["earliest"], rows.unit) == (2.5, None)


def test_lists_become_rows_in_their_order(tmp_path):
    frame = {"user": ["a", "b"], "item": [[3, 1], [2]], "time": [[7, 5], [6]]}
    _, found = read(tmp_path, frame)
    assert found.select("row", "user", "item", "time").rows() == [
        (0, "a", "3", 7),
        (0, "a", "1", 5),
        (1, "b", "2", 6),
    ]
    columns = {"user": "user", "item": "item"}
    _, found = read(tmp_path, frame, columns)
    assert found["item"].to_list() == ["3", "1", "2"]
    _, found = read(tmp_path, {**frame, "time": [9, 1]})
    assert found["time"].to_list() == [9, 9, 1]


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (["1", "soon"], "row 1: column 'time' holds 'soon', which is not a time"),
        ([1.0, float("-inf")], "row 1: column 'time' holds -inf, which is not a time"),
        (["2024-01-01", "01/02/2024"], "row 1: column 'time' holds '01/02/2024'"),
        (["2024-01-01", "17"], "row 1: column 'time' holds '17', which is not a time"),
    ],
)
def test_what_is_no_time_is_named(tmp_path, times, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, {"user": ["a", "b"], "item": ["x", "y"], "time": times})


def test_a_time_of_day_is_no_time_and_the_date_beside_it_is_named(tmp_path):
    days = [date(2024, 1, 31), date(2024, 2, 1)]
    frame = {"user": [1, 1], "item": [1, 2], "date": days, "time": [time(9), time(8)]}
    with pytest.raises(InputError, match="holds times of day") as error:
        read(tmp_path, frame)
    assert "`date` looks like times: --time-column date." in str(error.value)
    frame["time"] = ["09:00:00", "08:00:00"]
    with pytest.raises(
        InputError, match=r"'09:00:00', which is not a time.*`date` looks like"
    ):
        read(tmp_path, frame)


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        ([date(1971, 1, 1), date(9999, 12, 31)], 1_000_000),
        (["1971-01-01", "9999-12-31"], 1_000_000),
        ([datetime(1971, 1, 1), datetime(1972, 1, 1)], 1_000_000),
        ([1_700_000_000, 0], 1),
        ([1_700_000_000_000, 1_700_000_000_001], 1_000),
        ([20240101120000, 20240102120000], None),  # digits of a date
        ([17, 18], None),
    ],
)
def test_the_type_tells_the_unit_before_the_size_does(tmp_path, values, unit):
    frame = {"user": ["a", "b"], "item": ["x", "y"], "time": values}
    assert read(tmp_path, frame)[0].unit == unit
    if isinstance(values[0], datetime):
        frame["time"] = pl.Series(values).cast(pl.Datetime("ms"))
        assert read(tmp_path, frame)[0].unit == 1_000


def test_a_bad_value_is_named_where_blank_lines_are_none(tmp_path):
    path = tmp_path / "log.jsonl"
    lines = [{"user": "u", "item": "a", "time": n} for n in (1, 2)]
    text = "\n\n".join(map(json.dumps, [*lines, {**lines[0], "time": "soon"}]))
    path.write_text(text + "\n")
    with pytest.raises(
        InputError, match="row 2: column 'time' holds 'soon', which is not a time"
    ):
        read_rows(scan_table(path), COLUMNS)


def test_a_column_may_be_called_row(tmp_path):
    frame = {"row": ["a", "b"], "item": ["x", "y"], "time": ["1", "soon"]}
    columns = {**COLUMNS, "user": "row"}
    with pytest.raises(InputError, match="row 1: column 'time' holds 'soon'"):
        read(tmp_path, frame, columns)
    _, found = read(tmp_path, {**frame, "time": ["1", "2"]}, columns)
    assert found["user"].to_list() == ["a", "b"]


def test_two_units_in_one_column_are_refused(tmp_path):
    """Their order would be wrong."""
    seconds = [1_700_000_000 + n for n in range(3)]
    for mixed, unit in (
        ([*seconds, 1_700_000_001_000], "milliseconds"),
        ([*map(float, seconds), 1_700_000_001_000_000.0], "microseconds"),
        ([*map(str, seconds), "1700000001000000000"], "nanoseconds"),
    ):
        frame = {"user": list("abcd"), "item": list("wxyz"), "time": mixed}
        message = f"holds 1700000000, which counts seconds, and .* counts {unit}; write"
        with pytest.raises(InputError, match=message):
            read(tmp_path, frame)


@pytest.mark.parametrize("text", ["['a', 'b']", '["a"]', "[ 'a' ]"])
def test_lists_as_texts_are_no_ids(tmp_path, text):
    """As pandas writes a column of lists into a CSV."""
    frame = {"user": ["u", "v"], "item": ["x", text], "time": [1, 2]}
    message = "row 1: column 'item' holds objects or lists as texts; .*frame.explode"
    with pytest.raises(InputError, match=message):
        read(tmp_path, frame)


def test_brackets_in_ids_are_ids(tmp_path):
    ids = ["[live]", "{3F25-04E0}", "['a", "[1]"]
    frame = {"user": ids, "item": ids, "time": [1, 2, 3, 4]}
    assert read(tmp_path, frame)[1]["item"].to_list() == ids

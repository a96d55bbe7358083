"""Columns that look like times."""

from datetime import date, datetime, time

import polars as pl
import pytest

from emkd_tf.data.likely_times import hint, likely_times
from emkd_tf.data.tables import scan_table

COLUMNS = {
    "seconds": [1_700_000_000, 1_600_000_000],
    "milliseconds": ["1700000000123", "1600000000000"],
    "floats": [1.7e9, 1.6e9],
    "iso": ["2024-01-31T12:00:00Z", "2024-02-29"],
    "date": [date(2024, 1, 31), date(2023, 1, 31)],
    "instant": [datetime(2024, 1, 31), datetime(2023, 1, 31)],
    "clock": [time(12), time(13)],
    "price": [9.5, 1e9],
    "order": [123_456_789, 123_456_790],
    "large id": [17_000_000_000_123_456, 1],
    "word": ["2024-01-31", "soon"],
    "empty": [None, None],
    "list": [[1_700_000_000], []],
}
TIMES = ["seconds", "milliseconds", "floats", "iso", "date", "instant"]


@pytest.mark.parametrize("name", COLUMNS)
def test_times_are_told_from_other_numbers_and_texts(tmp_path, name):
    path = tmp_path / "log.parquet"
    pl.DataFrame({name: COLUMNS[name], "user": [1, 2]}).write_parquet(path)
    assert likely_times(scan_table(path), [name]) == [name] * (name in TIMES)


def test_the_first_one_is_named_as_a_flag():
    assert hint([]) == ""
    assert hint(["a", "b"]) == "`a` looks like times: --time-column a"

"""Times as numbers, against Python's own reader of ISO 8601."""

from datetime import datetime, timedelta, timezone

import polars as pl
import pytest

from emkd_tf.data.times import as_date, bound, numbers, readers, units_per_second, whole

NOON = datetime(2024, 2, 29, 12, 30, 5, 250_000)


def read(texts):
    """By the first reader that reads all that the last one reads."""
    frame = pl.DataFrame({"t": texts}, schema={"t": pl.String})
    found = [
        frame.select(r(pl.col("t"))).to_series().to_list() for r in readers(texts[0])
    ]
    most = sum(value is not None for value in found[-1])
    return next(v for v in found if sum(x is not None for x in v) == most)


def test_numbers_and_texts_of_numbers():
    texts = pl.DataFrame({"t": ["1", "2.5", "1e3", "inf", "nan", "soon", "", None]})
    found = texts.select(a=numbers(pl.col("t")), b=whole(pl.col("t")))
    assert found["a"].to_list() == [1.0, 2.5, 1000.0, *[None] * 5]
    assert found["b"].to_list() == [1, *[None] * 7]
    assert read(["1700000000123456789", "2"]) == [1_700_000_000_123_456_789, 2]
    assert read(["3", "2.5"]) == [3.0, 2.5]


ISO = {
    "date": "%Y-%m-%d",
    "blank": "%Y-%m-%d %H:%M:%S",
    "minutes": "%Y-%m-%d %H:%M",
    "T": "%Y-%m-%dT%H:%M:%S.%f",
    "Zulu": "%Y-%m-%dT%H:%M:%SZ",
    "the word UTC": "%Y-%m-%d %H:%M:%S UTC",
    "slashes": "%Y/%m/%d %H:%M:%S",
}


@pytest.mark.parametrize("kind", ISO)
def test_iso_8601_counts_microseconds_in_utc(kind):
    days = [NOON + timedelta(days=n) for n in (0, -40, 400)]
    texts = [day.strftime(ISO[kind]) for day in days]
    expected = []
    for text, day in zip(texts, days, strict=True):
        told = datetime.strptime(text, ISO[kind]).replace(tzinfo=timezone.utc)
        assert abs(told - day.replace(tzinfo=timezone.utc)) < timedelta(days=1)
        expected.append(round(told.timestamp() * 1e6))
    assert read(texts) == expected


def test_zones_and_ways_to_write_may_change_from_row_to_row():
    texts = [
        "2024-02-29T12:30:05.250000+01:00",
        "2024-02-29 12:30:05-0530",
        "2024-02-29T12:30:05+02",
        "2024-02-29T12:30:05-00:30",
        "2024-02-29",
    ]
    written = [*texts[:2], "2024-02-29T12:30:05+02:00", *texts[3:4], texts[4]]
    expected = []
    for text in written:
        told = datetime.fromisoformat(text)
        told = told if told.tzinfo else told.replace(tzinfo=timezone.utc)
        expected.append(round(told.timestamp() * 1e6))
    assert read(texts) == expected
    assert read(texts[::-1]) == expected[::-1]


@pytest.mark.parametrize(
    "text", ["08/07/2014", "2014-13-01", "2014-02-30", "soon", "12:30", "2014"]
)
def test_what_is_no_time(text):
    assert read(["2014-02-01", text]) == [1391212800_000_000, None]


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_the_size_of_a_number_tells_its_unit(unit):
    time = int(NOON.replace(tzinfo=timezone.utc).timestamp() * unit)
    assert units_per_second(time) == unit
    assert as_date(time, unit).startswith("2024-02-29 12:30:05")
    seconds = bound("2024-02-29T12:30:05.25Z", unit) / unit
    assert seconds == pytest.approx(time / unit, abs=1)


def test_small_numbers_are_no_dates():
    assert units_per_second(4000) is None
    assert (as_date(20200913.0, None), as_date(0.25, None)) == ("20200913", "0.25")
    assert (as_date(17, None), bound("2024-01-01", None)) == ("17", None)
    assert (bound("17.5", None), bound("soon", 1)) == (17.5, None)

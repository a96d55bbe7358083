"""Reads times of actions as numbers that grow with time: numbers unchanged, dates and
ISO 8601 texts as microseconds since 1970 in UTC."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timezone

import polars as pl

Reader = Callable[[pl.Expr], pl.Expr]

MICROSECONDS = 1_000_000
# From these on, a number counts seconds, milliseconds, microseconds or nanoseconds
# since 1970; below the first (March 1973) it may be anything that grows.
_UNITS = ((1e8, 1), (1e11, 1_000), (1e14, MICROSECONDS), (1e17, 1_000_000_000))
EARLIEST = 631_152_000  # in seconds, start of 1990: ids are numbers too
LATEST = 4_102_444_800  # in seconds, end of 2099: 20240101120000 is not seconds
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?inf(inity)?", re.I)
_ISO = (
    r"^(\d{4}[-/.]\d{1,2}[-/.]\d{1,2})"
    r"(?:[Tt ]+(\d{1,2}:\d{2})(:\d{2}(?:[.,]\d+)?)?)?"
    r"\s*(?:[Zz]|UTC|GMT|([+-]\d{2}):?(\d{2})?)?$"
)
# The usual ways to write ISO 8601; each reads many times faster than `_iso`.
_FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.fZ",
    "%Y-%m-%d %H:%M:%S%.f UTC",
    "%Y-%m-%dT%H:%M:%S%.f%z",
)


def readers(sample: str) -> list[Reader]:
    """Returns ways to read a column of texts, fastest first.

    Args:
        sample: one of its texts.

    Returns:
        Functions from a column to numbers, null for texts that they cannot read; the
        last one reads everything that can be read.
    """
    if _NUMBER.fullmatch(sample):
        return [whole, numbers]
    one = pl.Series("t", [sample]).to_frame()
    fast = [_dates, *map(_formatted, _FORMATS)]
    fits = (r for r in fast if one.select(r(pl.col("t")).is_not_null()).item())
    return [*list(fits)[:1], _iso]


def numbers(column: pl.Expr) -> pl.Expr:
    """Returns numbers, or texts of numbers, as floats; null if they are not finite."""
    found = column.cast(pl.Float64, strict=False)
    return pl.when(found.is_finite()).then(found)


def whole(column: pl.Expr) -> pl.Expr:
    """Returns a column as integers; null for anything else."""
    return column.cast(pl.Int64, strict=False)


def _dates(column: pl.Expr) -> pl.Expr:
    dates = column.str.to_date("%Y-%m-%d", strict=False)
    return dates.cast(pl.Datetime("us")).to_physical()


def _formatted(form: str) -> Reader:
    def read(column: pl.Expr) -> pl.Expr:
        return column.str.to_datetime(form, time_unit="us", strict=False).to_physical()

    return read


def _iso(column: pl.Expr) -> pl.Expr:
    """Reads ISO 8601 with or without a time of day and a zone; the default is UTC."""
    parts = column.str.extract_groups(_ISO)
    date, clock, seconds, hours, minutes = (
        parts.struct.field(str(number)) for number in range(1, 6)
    )
    text = pl.concat_str(
        date.str.replace_all("[/.]", "-"),
        pl.lit(" "),
        clock.fill_null("00:00"),
        seconds.str.replace(",", ".").fill_null(":00"),
    )
    east = pl.when(hours.str.starts_with("-")).then(-1).otherwise(1)
    zone = hours.cast(pl.Int64) * 60 + east * minutes.cast(pl.Int64).fill_null(0)
    return _formatted(_FORMATS[0])(text) - zone.fill_null(0) * 60 * MICROSECONDS


def units_per_second(largest: float) -> int | None:
    """Returns the units per second of times up to `largest`, or None if they are too
    small to be times since 1970."""
    units = [unit for least, unit in _UNITS if largest >= least]
    return units[-1] if units else None


def unit_of_range(earliest: float, latest: float) -> int | None:
    """Returns the units per second of times, or None if they are not times since 1970,
    end after the start of 2100, or begin and end in different units."""
    unit = units_per_second(latest)
    first = units_per_second(earliest)
    if unit is None or latest / unit > LATEST or first not in (None, unit):
        return None
    return unit


def mixed_units(earliest: float, latest: float) -> tuple[int, int] | None:
    """Returns the units per second of two times if both lie in 1990 to 2099 and the
    units differ; else None.

    >>> mixed_units(1_700_000_000, 1_700_000_000_000)
    (1, 1000)
    """
    first, last = units_per_second(earliest), units_per_second(latest)
    if first is None or last is None or first == last:
        return None
    are_times = all(
        EARLIEST <= time / unit <= LATEST
        for time, unit in ((earliest, first), (latest, last))
    )
    return (first, last) if are_times else None


def bound(text: str, unit: int | None) -> float | None:
    """Reads a bound for times: numbers as they are, dates in the unit of the times.

    Args:
        text: a number or ISO 8601.
        unit: see `units_per_second`; None if the times are not dates.

    Returns:
        The bound, or None if the text is not one, or a date while `unit` is None.
    """
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return float(text)
    when = pl.Series("t", [text]).to_frame().select(_iso(pl.col("t"))).item()
    if when is None or unit is None:
        return None
    return when * unit / MICROSECONDS


def as_date(time: float, unit: int | None) -> str:
    """Formats a time for people.

    Args:
        time: a number from a log.
        unit: see `units_per_second`.
    """
    if unit is None:
        return f"{time:.0f}" if float(time).is_integer() else f"{time:g}"
    try:
        when = datetime.fromtimestamp(time / unit, timezone.utc)
    except (OverflowError, ValueError, OSError):  # beyond the year 9999
        return f"{time:g}"
    return when.strftime("%Y-%m-%d %H:%M:%S")

"""Finds columns that look like times, whatever they are called."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from emkd_tf.data import times
from emkd_tf.data.table import Table

_SAMPLE = 100


def likely_times(table: Table, names: Sequence[str]) -> list[str]:
    """Returns the columns whose first values are dates, ISO 8601, or seconds or finer
    units since 1970.

    Args:
        table: a file.
        names: the columns to look at.
    """
    return [name for name in names if _holds_times(table, name)]


def hint(names: Sequence[str]) -> str:
    """Says how to choose the first likely column; "" if there is none.

    >>> hint(["ts_ms", "day"])
    '`ts_ms` looks like times: --time-column ts_ms'
    """
    return f"`{names[0]}` looks like times: --time-column {names[0]}" if names else ""


def _holds_times(table: Table, name: str) -> bool:
    dtype = table.schema[name]
    if dtype in (pl.Date, pl.Datetime):
        return True
    if not (dtype == pl.String or dtype.is_numeric()):
        return False
    column = pl.col(name).cast(pl.String)
    first = table.frame.select(value=column).drop_nulls().head(_SAMPLE)
    sample = table.collect(first)
    if sample.is_empty():
        return False
    read = times.readers(sample["value"][0])[-1]
    found = sample.select(read(pl.col("value"))).to_series()
    if found.null_count():
        return False
    numbers = found.to_numpy()
    seconds = numbers / (times.units_per_second(float(numbers.max())) or 1)
    return bool(seconds.min() >= times.EARLIEST and seconds.max() <= times.LATEST)

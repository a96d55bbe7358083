"""The rows of a log by the roles of its columns: users, items, times and ratings."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import polars as pl

from emkd_tf.data import times
from emkd_tf.data.dropped import counted
from emkd_tf.data.likely_times import hint, likely_times
from emkd_tf.data.table import ROW, Table
from emkd_tf.errors import InputError

_WORDS = {"raw_time": "time"}
_UNITS = {
    1: "seconds",
    1_000: "milliseconds",
    times.MICROSECONDS: "microseconds",
    10**9: "nanoseconds",
}
_NESTED = r"""^(\{|\[\s*\{|\[\s*["'])"""  # JSON, or a Python literal
_LIST = r"""^\[\s*(["']).*["']\s*\]$"""  # as pandas writes a list to CSV
_WRONG_IDS = {
    "broken": "has a line break; correct or drop the row",
    "nested": "holds objects or lists as texts; write their ids alone, a row an action "
    "(in pandas `frame.explode`), or lists as Parquet or JSON",
    "rounded": "holds floats from 2^53 on (2^24 of 32 bits), by which different whole "
    "numbers are the same; write integers or texts",
}
_ROUNDED = r"\.0$|e\+"  # how such floats are written


@dataclasses.dataclass(frozen=True)
class Rows:
    """What a pass over all rows of a log found.

    Attributes:
        reader: of the times, if the log has them.
        kept: conditions, keyed by the reason why rows that fail are left out.
        found: "rows" of the file, "earliest" and "latest" of the times, and the
            aggregates of `kept`.
        unit: units per second of the times, or None if they are not times since 1970.
    """

    reader: times.Reader | None
    kept: dict[str, pl.Expr]
    found: dict[str, Any]
    unit: int | None


def read_rows(table: Table, columns: dict[str, str]) -> Rows:
    """Looks over all rows of a log once.

    Args:
        table: the log; a column of items may hold lists, with a list of times or one
            time for all.
        columns: the file's columns by role.

    Raises:
        InputError: an id or a value in the file cannot be used, such as an id with a
            line break or an invalid time.
    """
    if "time" in columns and table.schema[columns["time"]] == pl.Time:
        raise InputError(
            f"{table.path}: column {columns['time']!r} holds times of day; name a "
            f"column of dates with --time-column.{_other_times(table, columns)}"
        )
    rows = _named(table, columns)
    for reader in _time_readers(rows) if "time" in columns else [None]:
        found = table.look(functools.partial(_aggregates, columns, reader))
        if found["first bad time"] is None:
            break
    for what in ("user", "item"):
        for wrong, way in _WRONG_IDS.items():
            if (row := found[f"first {wrong} {what}"]) is not None:
                raise InputError(f"{table.place(row)}: column {columns[what]!r} {way}.")
    if (row := found["first repeated header"]) is not None:
        raise InputError(
            f"{table.place(row)} repeats the names of the columns; drop the line."
        )
    if (row := found["first bad rating"]) is not None:
        value = _value(table, row, columns["rating"])
        raise InputError(
            f"{table.place(row)}: column {columns['rating']!r} holds {value!r}, "
            "which is not a number; write ratings as numbers, such as 4.5."
        )
    if (row := found["first bad time"]) is not None:
        value = _value(table, row, columns["time"])
        raise InputError(
            f"{table.place(row)}: column {columns['time']!r} holds {value!r}, "
            "which is not a time; use a number that grows with time, or ISO 8601 "
            f"(2024-01-31, 2024-01-31T12:00:00Z).{_other_times(table, columns)}"
        )
    dtype = table.schema[columns["time"]] if "time" in columns else None
    if reader in (times.whole, times.numbers) and dtype and not dtype.is_temporal():
        _require_one_unit(table, columns["time"], found)
    unit = _unit(dtype, reader, found["earliest"], found["latest"])
    return Rows(reader, _kept(rows), found, unit)


def _require_one_unit(table: Table, name: str, found: dict[str, Any]) -> None:
    ends = (found["earliest"], found["latest"])
    if None not in ends and (units := times.mixed_units(*ends)):
        (first, first_unit), (last, last_unit) = zip(ends, units, strict=True)
        raise InputError(
            f"{table.path}: column {name!r} holds {first:.0f}, which counts "
            f"{_UNITS[first_unit]}, and {last:.0f}, which counts {_UNITS[last_unit]}; "
            "write all times in one unit."
        )


def _value(table: Table, row: int, name: str) -> Any:
    found = table.first_bad(pl.col(ROW) == row)
    return found and found[name]


def _unit(
    dtype: pl.DataType | None,
    reader: times.Reader | None,
    earliest: float | None,
    latest: float | None,
) -> int | None:
    """Returns the units per second of the times, by their type or the size of the
    numbers."""
    if earliest is None or latest is None:
        return None
    if isinstance(dtype, pl.Datetime):
        return {"ms": 1_000, "us": times.MICROSECONDS}.get(dtype.time_unit, 10**9)
    if dtype == pl.Date or reader not in (times.whole, times.numbers):
        return times.MICROSECONDS
    return times.unit_of_range(earliest, latest)


def _other_times(table: Table, columns: dict[str, str]) -> str:
    others = [name for name in table.columns if name not in columns.values()]
    found = hint(likely_times(table, others))
    return found and f" {found}."


def rows_of(
    table: Table, columns: dict[str, str], reader: times.Reader | None
) -> Table:
    """Returns the rows of a log, or of a part of it.

    Args:
        table: the log, or the part.
        columns: the file's columns by role.
        reader: of the times, if there are any.

    Returns:
        Columns row (in the table), user, item (texts), and if the log has them time
        and rating (numbers); null if missing in the file.
    """
    rows = _named(table, columns)
    if reader is None:
        return rows
    frame = rows.frame.with_columns(time=reader(pl.col("raw_time")))
    return dataclasses.replace(rows, frame=frame)


def _aggregates(
    columns: dict[str, str], reader: times.Reader | None, table: Table
) -> pl.LazyFrame:
    rows = rows_of(table, columns, reader)
    looks = _looks(rows, columns)
    for what in ("user", "item"):
        dtype = table.schema[columns[what]]
        is_float = getattr(dtype, "inner", dtype).is_float()
        is_rounded = pl.lit(is_float) & pl.col(what).str.contains(_ROUNDED)
        looks[f"first rounded {what}"] = pl.col("row").filter(is_rounded).min()
    return rows.frame.select(**looks)


def _named(table: Table, columns: dict[str, str]) -> Table:
    """Returns columns row, user, item (texts), and raw_time and rating if the log has
    them; lists become one row per item."""
    schema = table.schema
    lists = [
        n for n in columns.values() if schema[n].base_type() in (pl.List, pl.Array)
    ]
    frame = table.frame.select(columns.values()).with_row_index(ROW)
    if columns["item"] in lists:
        table = dataclasses.replace(table, frame=frame.explode(lists))
    else:
        table = dataclasses.replace(table, frame=frame)
    chosen = {what: table.text(columns[what]) for what in ("user", "item")}
    if "time" in columns:
        chosen["raw_time"] = _raw_time(table, columns["time"])
    if "rating" in columns:
        chosen["raw_rating"] = table.text(columns["rating"])
        chosen["rating"] = times.numbers(chosen["raw_rating"])
    return dataclasses.replace(table, frame=table.frame.select(row=ROW, **chosen))


def _raw_time(table: Table, name: str) -> pl.Expr:
    """Returns times as in the file: numbers or texts, or null."""
    dtype, column = table.schema[name], pl.col(name)
    if dtype == pl.Date:
        column, dtype = column.cast(pl.Datetime("us")), pl.Datetime("us")
    if dtype.is_temporal():
        return column.to_physical()
    if dtype.is_integer():
        return column
    return column.fill_nan(None) if dtype.is_float() else table.text(name)


def _time_readers(rows: Table) -> list[times.Reader]:
    """Returns ways to read the times, fastest first; all but the last may fail."""
    dtype = rows.schema.get("raw_time")
    if dtype == pl.String:
        first = rows.frame.select("raw_time").drop_nulls().head(1)
        sample = rows.collect(first)["raw_time"].to_list()
        return times.readers(sample[0]) if sample else [times.whole]
    return [times.numbers if dtype is not None and dtype.is_float() else times.whole]


def _kept(rows: Table) -> dict[str, pl.Expr]:
    parts = [name for name in rows.columns if name not in ("row", "time", "raw_rating")]
    kept = {f"no {_WORDS.get(p, p)}": pl.col(p).is_not_null() for p in parts}
    if rows.first_line is None:
        return kept
    is_line = pl.any_horizontal(pl.col(parts).is_not_null())
    return {"empty line": is_line, **kept}


def _looks(rows: Table, names: dict[str, str]) -> dict[str, pl.Expr]:
    row, columns = pl.col("row"), rows.columns
    looks = {"rows": pl.len(), **counted(_kept(rows))}
    for what in ("user", "item"):
        is_broken = pl.col(what).str.contains(r"[\r\n]")
        looks[f"first broken {what}"] = row.filter(is_broken).min()
        form = _NESTED if rows.kind.startswith("JSON") else _LIST
        is_nested = pl.col(what).str.contains(form)
        looks[f"first nested {what}"] = row.filter(is_nested).min()
    is_header = pl.all_horizontal(pl.col(w) == names[w] for w in ("user", "item"))
    looks["first repeated header"] = row.filter(is_header & rows.has_names).min()
    is_no_number = pl.lit(False)
    if "rating" in columns:
        is_no_number = pl.col("raw_rating").is_not_null() & pl.col("rating").is_null()
    looks["first bad rating"] = row.filter(is_no_number).min()
    if "time" not in columns:
        none = pl.lit(None)
        return {**looks, "first bad time": none, "earliest": none, "latest": none}
    time, raw_time = pl.col("time"), pl.col("raw_time")
    looks["first bad time"] = row.filter(raw_time.is_not_null() & time.is_null()).min()
    return {**looks, "earliest": time.min(), "latest": time.max()}

"""Reads logs of actions: which rows are kept, which are dropped, and why."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from emkd_tf.config import DataConfig
from emkd_tf.data import times
from emkd_tf.data.dropped import Dropped, counted
from emkd_tf.data.log_columns import choose_columns, given_columns
from emkd_tf.data.log_rows import Rows, read_rows, rows_of
from emkd_tf.data.table import Table
from emkd_tf.data.tables import scan_table
from emkd_tf.errors import InputError


@dataclasses.dataclass(frozen=True)
class Log:
    """The actions of a log and how they were read.

    Attributes:
        table: the file.
        columns: the file's columns by role: user, item, time, rating.
        dropped: rows that are not among the actions.
        rows: all rows of the file.
        kept: conditions for the rows that are among the actions.
    """

    table: Table
    columns: dict[str, str]
    dropped: Dropped
    rows: Rows
    kept: Sequence[pl.Expr]

    @property
    def unused(self) -> list[str]:
        """The file's other columns."""
        return [n for n in self.table.columns if n not in self.columns.values()]

    @property
    def rounded_times(self) -> str | None:
        """The column of times if it is of 32-bit floats and counts since 1970, else
        None."""
        if "time" not in self.columns or self.rows.unit is None:
            return None
        name = self.columns["time"]
        dtype = self.table.schema[name]
        return name if getattr(dtype, "inner", dtype) == pl.Float32 else None

    @property
    def frame(self) -> pl.LazyFrame:
        """Columns user, item (texts), time (number) and row (its number in the file),
        in the file's order, to be read in pieces. Without times, the order is used."""
        frame = self.part(self.table)
        if "time" in self.columns:
            return frame
        return frame.with_row_index("time").with_columns(times.whole(pl.col("time")))

    @property
    def actions(self) -> pl.LazyFrame:
        """The columns user, item and time."""
        return self.frame.select("user", "item", "time")

    @property
    def part(self) -> Callable[[Table], pl.LazyFrame]:
        """A function from a part of the file, in any process, to its actions: columns
        user, item, row (in the part) and, if the log has times, time."""
        return functools.partial(_filtered, self.columns, self.rows.reader, self.kept)

    def place(self, number: int) -> str:
        """Names the place of action `number`, counted from 0."""
        found = self.table.collect(self.frame.slice(number, 1))
        return self.table.place(found["row"][0])


def _filtered(
    columns: dict[str, str],
    reader: times.Reader | None,
    kept: Sequence[pl.Expr],
    table: Table,
) -> pl.LazyFrame:
    frame = rows_of(table, columns, reader).frame
    return frame.filter(*kept) if kept else frame


def _counted(
    columns: dict[str, str],
    reader: times.Reader | None,
    kept: Sequence[pl.Expr],
    further: dict[str, pl.Expr],
    table: Table,
) -> pl.LazyFrame:
    return _filtered(columns, reader, kept, table).select(**counted(further))


def read_interactions(
    config: DataConfig, scan: Callable[..., Table] = scan_table
) -> Log:
    """Reads a log of actions of your own.

    Args:
        config: the log (one row per action, or one row per user with a list of items),
            its columns and filters.
        scan: opens a file as a table, see `scan_table`.

    Raises:
        InputError: a column is missing, an id has a line break, a time is invalid, or a
            filter does not fit.
    """
    assert config.interactions is not None
    path = Path(config.interactions)
    table = scan(path, list(given_columns(config).values()))
    columns = choose_columns(table, config)
    rows = read_rows(table, columns)
    dropped = Dropped.read(table, rows.kept, rows.found)
    kept = (*rows.kept.values(),) if dropped.counts else ()
    if further := filters(config, path, rows.unit, has_time="time" in columns):
        found = table.look(
            functools.partial(_counted, columns, rows.reader, kept, further)
        )
        dropped |= Dropped.read(table, further, found)
        kept = (*kept, *further.values())
    return Log(table, columns, dropped, rows, kept)


def filters(
    config: DataConfig, path: Path, unit: int | None, *, has_time: bool
) -> dict[str, pl.Expr]:
    """Returns the conditions of a config's filters, keyed by the reason why rows that
    fail are left out.

    Args:
        config: the filters.
        path: of the log, for errors.
        unit: units per second of its times, or None if they are not times since 1970.
        has_time: whether it has times at all.

    Raises:
        InputError: a bound that does not fit the log's times.
    """
    kept = {}
    if config.min_rating is not None:
        kept["rating below `min_rating`"] = pl.col("rating") >= config.min_rating
    for name in ("since", "until"):
        text = getattr(config, name)
        if text is None:
            continue
        if not has_time:
            raise InputError(f"{path} has no column of times for --{name}.")
        bound = times.bound(text, unit)
        if bound is None:
            raise InputError(
                f"`{name}` must be a number like the log's times, or a date if "
                f"these are dates, got {text!r}."
            )
        time = pl.col("time")
        if name == "since":
            kept[f"before `since` {text}"] = time >= bound
        else:
            kept[f"at `until` {text} or later"] = time < bound
    return kept

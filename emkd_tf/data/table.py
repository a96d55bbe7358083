"""A table that is read in pieces, and how its rows are named."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import polars as pl

from emkd_tf.data import json_tables
from emkd_tf.data.reading import reading
from emkd_tf.data.texts import as_text
from emkd_tf.errors import InputError

TEXT, JSON_LINES, PARQUET = "csv", "JSON lines", "parquet"  # kinds of tables


@dataclasses.dataclass(frozen=True)
class Table:
    """A file's rows, to be read in pieces.

    Attributes:
        frame: the columns; those of text files are strings.
        path: of the file.
        kind: how it is read, in a word.
        first_line: of a text file the line of row 0, None for others.
        types: by column, where the header tells them (`item_id:token`).
        has_names: whether the file names its columns; else they have numbers.
        open_part: opens a part of the file like the whole: lines of a text; of a
            Parquet file its path, the first row and the number of rows. None where a
            file can only be read from its beginning.
        lacking: columns that not all files of a folder have, each with one that lacks
            it.
    """

    frame: pl.LazyFrame
    path: Path
    kind: str
    first_line: int | None = None
    types: dict[str, str] = dataclasses.field(default_factory=dict)
    has_names: bool = True
    open_part: Callable[..., pl.LazyFrame] | None = None
    lacking: dict[str, Path] = dataclasses.field(default_factory=dict)

    @property
    def schema(self) -> pl.Schema:
        with reading(self.path, self.kind):
            return self.frame.collect_schema()

    @property
    def columns(self) -> list[str]:
        return self.schema.names()

    def collect(self, frame: pl.LazyFrame) -> pl.DataFrame:
        """Computes a frame of the file's rows."""
        try:
            with reading(self.path, self.kind):
                return frame.collect(engine="streaming")
        except InputError:
            self.find_fault()
            raise

    def find_fault(self) -> None:
        """Raises an InputError that names the line where a record is no JSON."""
        if self.kind == JSON_LINES:
            json_tables.require_json(self.path)

    def require_everywhere(self, names: Iterable[str]) -> None:
        """Raises an InputError if a file of a folder lacks one of some columns."""
        for name in names:
            if name in self.lacking:
                raise InputError(
                    f"{self.lacking[name]} has no column {name!r}, which other files "
                    f"of {self.path} have; name it alike, or leave the file out."
                )

    def look(self, build: Callable[[Table], pl.LazyFrame]) -> dict[str, Any]:
        """Computes aggregates of all rows.

        Args:
            build: from this table, or a part of it, to a row of aggregates. They are
                told apart by their names and types, so that those of parts can be put
                together: "first ..." are numbers of rows, "earliest" and "latest"
                values, truths hold where they hold for any row, others are counts.
        """
        return self.collect(build(self)).row(0, named=True)

    def place(self, row: int) -> str:
        """Names a row as the file's reader counts it: lines from 1, or rows from 0."""
        if self.first_line is None:
            return f"{self.path} row {row}"
        line = row + self.first_line
        if self.kind == TEXT:  # fields in quotes may have line breaks
            in_fields = pl.col(pl.String).str.count_matches("\n")
            breaks = pl.sum_horizontal(0, in_fields)
            before = self.frame.head(row).select(breaks.sum())
            line += self.collect(before).item()
        return f"{self.path} line {line}"

    def first_bad(self, is_bad: pl.Expr) -> dict[str, Any] | None:
        """Returns the first row where `is_bad` holds, with its number as "row"."""
        bad = self.frame.with_row_index("row").filter(is_bad).head(1)
        found = self.collect(bad)
        return None if found.is_empty() else found.row(0, named=True)

    def text(self, name: str) -> pl.Expr:
        """Returns a column as text, see `texts.as_text`.

        Raises:
            InputError: the column holds lists, structs or bytes.
        """
        dtype = self.schema[name]
        if dtype.is_nested() or dtype == pl.Binary:
            raise InputError(
                f"{self.path}: column {name!r} holds {dtype}; it must hold texts or "
                "numbers."
            )
        return as_text(dtype, pl.col(name))

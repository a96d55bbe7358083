"""A table that is read in pieces and names its rows."""

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
ROW = "\0row"  # number of a row; no file has a column of this name


@dataclasses.dataclass(frozen=True)
class Table:
    """A file's rows, to be read in pieces.

    Attributes:
        frame: the columns; in text files they are strings.
        path: the file.
        kind: how it is read, in a word.
        first_line: the line of row 0 in a text file, None for others.
        types: by column, if the header states them (`item_id:token`).
        has_names: whether the file names its columns; else they are numbered.
        open_part: opens a part of the file like the whole: for text, from its lines;
            for Parquet, from its path, first row and number of rows. None if the file
            can only be read from its beginning.
        lacking: columns missing from some files of a folder, each with a file that
            lacks it.
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
        """Computes a frame derived from the file's rows."""
        try:
            with reading(self.path, self.kind):
                return frame.collect(engine="streaming")
        except InputError:
            self.find_fault()
            raise

    def find_fault(self) -> None:
        """Raises an InputError that names the line if a record is not JSON."""
        if self.kind == JSON_LINES:
            json_tables.require_json(self.path)

    def require_everywhere(self, names: Iterable[str]) -> None:
        """Raises an InputError if a file of the folder lacks one of the columns."""
        for name in names:
            if name in self.lacking:
                raise InputError(
                    f"{self.lacking[name]} has no column {name!r}, which other files "
                    f"of {self.path} have; name it alike, or leave the file out."
                )

    def look(self, build: Callable[[Table], pl.LazyFrame]) -> dict[str, Any]:
        """Computes aggregates over all rows.

        Args:
            build: maps this table, or a part of it, to a row of aggregates. Names and
                types say how to merge those of parts: "first ..." are row numbers,
                "earliest" and "latest" are values, booleans are true if true for any
                row, and all others are counts.
        """
        return self.collect(build(self)).row(0, named=True)

    def place(self, row: int) -> str:
        """Names a row as the file's reader counts it: lines from 1, or rows from 0."""
        if self.first_line is None:
            return f"{self.path} row {row}"
        line = row + self.first_line
        if self.kind == TEXT:  # quoted fields may contain line breaks
            in_fields = pl.col(pl.String).str.count_matches("\n")
            breaks = pl.sum_horizontal(0, in_fields)
            before = self.frame.head(row).select(breaks.sum())
            line += self.collect(before).item()
        return f"{self.path} line {line}"

    def first_bad(self, is_bad: pl.Expr) -> dict[str, Any] | None:
        """Returns the first row where `is_bad` holds, with its number as ROW."""
        bad = self.frame.with_row_index(ROW).filter(is_bad).head(1)
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

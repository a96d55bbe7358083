"""Files as tables, read in pieces: what each kind of file is opened with.

What a file holds is told by its content, not by its name.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from emkd_tf.data import json_tables
from emkd_tf.data.delimited import (
    LookAtLines,
    find_form,
    knows,
    look_at_lines,
    read_strictly,
    sniff,
)
from emkd_tf.data.delimited_rows import Dialect, scan_lines
from emkd_tf.data.parquet_folders import (
    ARROW_SUFFIXES,
    PARQUET_SUFFIXES,
    parquet_files,
)
from emkd_tf.data.parquet_parts import scan_parts
from emkd_tf.data.reading import (
    not_utf8,
    reading,
    refuse_other_kinds,
    require_readable,
)
from emkd_tf.data.s3rec import is_sequences, scan_sequences
from emkd_tf.data.texts import as_text
from emkd_tf.errors import InputError

_SAMPLE_LINES = 1000
_JSON_LINES = "JSON lines"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


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
    """

    frame: pl.LazyFrame
    path: Path
    kind: str
    first_line: int | None = None
    types: dict[str, str] = dataclasses.field(default_factory=dict)
    has_names: bool = True
    open_part: Callable[..., pl.LazyFrame] | None = None

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
            if self.kind == _JSON_LINES:
                with _records():
                    json_tables.require_json(self.path)
            raise

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
        return f"{self.path} line {row + self.first_line}"

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


def scan_table(
    path: Path, known_names: Sequence[str] = (), look: LookAtLines = look_at_lines
) -> Table:
    """Opens a file to be read in pieces.

    Args:
        path: a text table with any usual separator, JSON, a record a line, S3-Rec's
            text, these compressed by gzip or Zstandard or not; Parquet, also a folder
            of it; Arrow.
        known_names: columns that a header would hold, beside those of usual names.
        look: computes aggregates of a text table's lines.

    Raises:
        InputError: the file is missing, empty, damaged or of another type.
    """
    require_readable(path)
    table = _scan_typed(path) or _scan_text(path, known_names, look)
    if table.collect(table.frame.head(1)).is_empty():
        raise InputError(f"{path} has no rows, only a header.")
    return table


def _scan_typed(path: Path) -> Table | None:
    """Opens a file whose columns have types, or returns None."""
    if path.is_dir():
        files = parquet_files(path)
        if not files:
            raise InputError(
                f"{path} holds no file that ends in .parquet, and other files are read "
                "one by one; give a file, or Parquet."
            )
        return _parquet(path, files, in_names="=" in str(files[0].parent))
    with path.open("rb") as file:
        magic = file.read(6)
    suffix = path.suffix.lower()
    if magic.startswith(b"PAR1") or suffix in PARQUET_SUFFIXES:
        return _parquet(path, [path], in_names=False)
    if magic == b"ARROW1":
        return Table(pl.scan_ipc(path, glob=False), path, "Arrow")
    if suffix in ARROW_SUFFIXES:
        with reading(path, "Arrow"):
            return Table(pl.read_ipc_stream(path).lazy(), path, "Arrow")
    if magic[:2] in _UTF16:
        raise not_utf8(path, "UTF-16")
    refuse_other_kinds(path, magic)
    return None


def _parquet(path: Path, files: list[Path], *, in_names: bool) -> Table:
    """Opens Parquet files, of which the folders' names may hold columns (`day=1`)."""
    frame, part = scan_parts(files, in_names=in_names)
    return Table(frame, path, "parquet", open_part=part)


def _scan_text(path: Path, known_names: Sequence[str], look: LookAtLines) -> Table:
    with reading(path, "csv"):
        lines = scan_lines(path).head(_SAMPLE_LINES).collect()["line"].to_list()
        filled = [line for line in lines if line and line.strip("\ufeff \t\r")]
        if not filled:
            raise pl.exceptions.NoDataError
        if "\r" in filled[0].strip():
            raise InputError(
                f"{path} ends its lines with CR alone; convert it: tr '\\r' '\\n' < "
                f"{path.name} > unix-{path.name}"
            )
        start = filled[0].lstrip("\ufeff \t")
        if start[0] in "[{":
            is_dense = len(filled) == len(lines)
            return _scan_json(path, filled, 1 if is_dense else None)
        dialect = sniff(lines, known_names)
        if is_sequences(filled) and not knows(filled[0].split(), known_names):
            return Table(scan_sequences(scan_lines(path)), path, "S3-Rec text")
        if dialect.separator == " " and "  " in filled[0].strip():
            raise InputError(
                f"{path} parts its columns by several blanks; make one of them: "
                f"tr -s ' ' < {path.name} > one-{path.name}"
            )
        return _delimited(path, dialect, look)


def _delimited(path: Path, dialect: Dialect, look: LookAtLines) -> Table:
    form = find_form(path, dialect, look)
    return Table(
        read_strictly(path, dialect) if form is None else form.scan(path),
        path,
        "csv",
        first_line=dialect.header_line + 1,
        types=dialect.types,
        has_names=dialect.header_line > 0,
        open_part=None if form is None else form.scan_part,
    )


def _scan_json(path: Path, lines: Sequence[str], first_line: int | None) -> Table:
    """Opens JSON; records have numbers of their own where lines are blank."""
    with _records(), reading(path, "JSON"):
        if json_tables.is_record_a_line(lines):
            records, part = json_tables.scan_records(path, lines)
            return Table(records, path, _JSON_LINES, first_line, open_part=part)
        return Table(json_tables.read_list(path), path, "JSON")


@contextlib.contextmanager
def _records() -> Iterator[None]:
    """Makes what is wrong with records an InputError."""
    try:
        yield
    except json_tables.NotRecordsError as error:
        raise InputError(str(error)) from None

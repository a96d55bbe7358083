"""A file in pieces, each of which an executor reads like the whole.

The pieces are read with polars by the rules of `emkd_tf.data`, so that what a row of a
log means is defined only once.
"""

from __future__ import annotations

import dataclasses
import io
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from emkd_tf.data.delimited_rows import Dialect, scan_lines
from emkd_tf.data.table import PARQUET, TEXT, Table
from emkd_tf.data.table_folders import parquet_files
from emkd_tf.data.tables import scan_table
from emkd_tf.errors import InputError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

BYTES, ROWS = 2**26, 2**21  # of a piece of text, and of Parquet
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x78\x01", b"\x78\x9c", b"\x78\xda")
_BOM = b"\xef\xbb\xbf"


@dataclasses.dataclass(frozen=True)
class Piece:
    """A part of a file.

    Attributes:
        file: its path.
        start, stop: for text, bytes at the beginnings of lines; for Parquet, rows.
        is_text: whether it is text or Parquet.
    """

    file: str
    start: int
    stop: int
    is_text: bool

    def open(self, open_part: Callable[..., pl.LazyFrame]) -> pl.LazyFrame:
        """Opens the piece.

        Args:
            open_part: see `Table`.
        """
        if not self.is_text:
            return open_part(Path(self.file), self.start, self.stop - self.start)
        with open(self.file, "rb") as file:
            file.seek(self.start)
            return open_part(file.read(self.stop - self.start))


def text_pieces(path: Path, skipped_lines: int, size: int = BYTES) -> list[Piece]:
    """Cuts a text file at ends of lines.

    Args:
        path: the file.
        skipped_lines: how many lines at the beginning belong to no piece.
        size: bytes per piece, which then extends to the end of the line.
    """
    bounds = []
    with path.open("rb") as file:
        if file.read(len(_BOM)) != _BOM:
            file.seek(0)
        for _ in range(skipped_lines):
            file.readline()
        end = path.stat().st_size
        while (place := file.tell()) < end:
            bounds.append(place)
            file.seek(place + size - 1)
            file.readline()
    return [
        Piece(str(path), *pair, True) for pair in itertools.pairwise([*bounds, end])
    ]


def parquet_pieces(path: Path, size: int = ROWS) -> list[Piece]:
    """Cuts the files of a Parquet table into ranges of rows."""
    pieces = []
    for file in parquet_files(path) if path.is_dir() else [path]:
        rows = pl.scan_parquet(file, glob=False).select(pl.len()).collect().item()
        for first in range(0, rows, size):
            pieces.append(Piece(str(file), first, min(first + size, rows), False))
    return pieces


@dataclasses.dataclass(frozen=True)
class TableInPieces(Table):
    """A table whose aggregates are computed by executors.

    Attributes:
        spark: the session.
        table: the same in this process; it knows the places of rows.
        pieces: in the order of the file.
        first_rows: the number of the first row of each piece.
    """

    spark: SparkSession | None = None
    table: Table | None = None
    pieces: Sequence[Piece] = ()
    first_rows: Sequence[int] = ()

    def look(self, build: Callable[[Table], pl.LazyFrame]) -> dict[str, Any]:
        """See `Table.look`."""
        found = _of_each(self.spark, self.pieces, self.part_opener(), build)
        return merged(found, self.first_rows)

    def place(self, row: int) -> str:
        """See `Table.place`."""
        assert self.table is not None
        return self.table.place(row)

    def part_opener(self) -> Callable[[Piece], Table]:
        """Returns a function that opens a piece as a table in any process."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(Table)}
        open_part = fields.pop("open_part")
        del fields["frame"]
        return lambda piece: Table(frame=piece.open(open_part), **fields)


def scan_in_pieces(
    spark: SparkSession, path: Path, known_names: Sequence[str] = ()
) -> TableInPieces:
    """Opens a file to be read by executors.

    Args:
        spark: the session.
        path: of the file, on this machine and on the executors.
        known_names: see `scan_table`.

    Raises:
        InputError: see `scan_table`; or a file that only one process can read.
    """

    def look(path: Path, dialect: Dialect, aggregates: dict[str, pl.Expr]) -> dict:
        pieces = text_pieces(path, dialect.header_line)

        def open_lines(piece: Piece) -> Table:
            return Table(piece.open(_lines).with_row_index("row"), path, TEXT)

        def build(lines: Table) -> pl.LazyFrame:
            return lines.frame.select(**aggregates, rows=pl.len())

        found = _of_each(spark, pieces, open_lines, build)
        return merged(found, _first_rows(found))

    if path.is_dir() and not parquet_files(path):
        raise _one_process(path, "is a folder of texts")
    if path.is_file() and path.open("rb").read(4).startswith(_COMPRESSED):
        raise _one_process(path, "is compressed")
    table = scan_table(path, known_names, look)
    if table.open_part is None:
        raise _one_process(path, f"({table.kind}) is read from its beginning")
    if table.kind == PARQUET:
        pieces = parquet_pieces(path)
    else:
        pieces = text_pieces(path, (table.first_line or 1) - 1)
    fields = {f.name: getattr(table, f.name) for f in dataclasses.fields(Table)}
    whole = TableInPieces(**fields, spark=spark, table=table, pieces=pieces)
    counts = _of_each(spark, pieces, whole.part_opener(), _count)
    return dataclasses.replace(whole, first_rows=_first_rows(counts))


def _lines(lines: bytes) -> pl.LazyFrame:
    # A piece may be a single blank line, which is not a text table.
    return scan_lines(io.BytesIO(b"-\n" + lines)).slice(1)


def _count(table: Table) -> pl.LazyFrame:
    return table.frame.select(rows=pl.len())


def _first_rows(found: Sequence[dict[str, Any]]) -> list[int]:
    return [0, *itertools.accumulate(each["rows"] for each in found)][:-1]


def _one_process(path: Path, why: str) -> InputError:
    return InputError(
        f"{path} {why}, which one process has to do; write it as Parquet, CSV or a "
        "JSON record a line for --engine spark."
    )


def _of_each(
    spark: SparkSession | None,
    pieces: Sequence[Piece],
    open_piece: Callable[[Piece], Table],
    build: Callable[[Table], pl.LazyFrame],
) -> list[dict[str, Any]]:
    """Returns the aggregates of each piece, a few numbers each."""
    assert spark is not None

    def look(piece: Piece) -> dict[str, Any]:
        return open_piece(piece).look(build)

    return spark.sparkContext.parallelize(pieces, len(pieces)).map(look).collect()


def merged(
    found: Sequence[dict[str, Any]], first_rows: Sequence[int]
) -> dict[str, Any]:
    """Merges the aggregates of pieces, see `Table.look`."""
    whole: dict[str, Any] = {}
    for name in found[0]:
        pairs = [
            (each[name], first)
            for each, first in zip(found, first_rows, strict=True)
            if each[name] is not None
        ]
        values = [value for value, _ in pairs]
        if not values:
            whole[name] = None
        elif name.startswith("first "):
            whole[name] = min(row + first for row, first in pairs)
        elif name in ("earliest", "latest"):
            whole[name] = min(values) if name == "earliest" else max(values)
        elif isinstance(values[0], bool):
            whole[name] = any(values)
        else:
            whole[name] = sum(values)
    return whole

"""A folder of files of one kind as one table."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

import polars as pl

from emkd_tf.data.schemas import common_schema, lacking, like
from emkd_tf.data.table import PARQUET, Table
from emkd_tf.errors import InputError

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"  # a missing value in a folder's name


@dataclasses.dataclass(frozen=True)
class FolderTable(Table):
    """The rows of several files, one after the other.

    Attributes:
        files: each as a table.
    """

    files: Sequence[Table] = ()

    def place(self, row: int) -> str:
        """See `Table.place`; within the file that contains the row."""
        for file in self.files:
            count = file.collect(file.frame.select(pl.len())).item()
            if row < count:
                return file.place(row)
            row -= count
        raise IndexError(row)

    def find_fault(self) -> None:
        """See `Table.find_fault`."""
        for file in self.files:
            file.find_fault()


def joined(folder: Path, tables: Sequence[Table]) -> Table:
    """Joins the tables of a folder; folder names may hold further columns (`day=1`), as
    text.

    Raises:
        InputError: only some tables have column names, or their kinds differ.
    """
    first = tables[0]
    for table in tables:
        if (table.kind, table.has_names) != (first.kind, first.has_names):
            examples = (f"{t.path} ({_described(t)})" for t in (first, table))
            raise InputError(
                f"{' and '.join(examples)} do not form one table; give them the "
                "same columns."
            )
    tables = [_with_names(folder, table) for table in tables]
    files, schemas = [t.path for t in tables], [t.schema for t in tables]
    schema = common_schema(files, schemas)
    open_part = functools.partial(_scan_rows_like, folder, schema)
    return FolderTable(
        pl.concat([like(table.frame, schema) for table in tables]),
        folder,
        first.kind,
        first_line=first.first_line,
        types=first.types,
        has_names=first.has_names,
        open_part=open_part if first.kind == PARQUET else None,
        lacking=lacking(files, schemas),
        files=tables,
    )


def _with_names(folder: Path, table: Table) -> Table:
    if not table.has_names:  # columns are identified by position
        return table
    pairs = (part.split("=", 1) for part in table.path.relative_to(folder).parts[:-1])
    named = {pair[0]: unquote(pair[1]) for pair in pairs if len(pair) == 2}
    columns = [
        pl.lit(None if value == _NO_VALUE else value, pl.String).alias(name)
        for name, value in named.items()
        if name not in table.columns
    ]
    return dataclasses.replace(table, frame=table.frame.with_columns(columns))


def parquet_table(path: Path) -> Table:
    """Opens a Parquet file."""
    return Table(_scan_parquet(path), path, PARQUET, open_part=_scan_rows)


def _scan_parquet(file: Path) -> pl.LazyFrame:
    return pl.scan_parquet(file, glob=False, hive_partitioning=False)


def _scan_rows(file: Path, first: int, count: int) -> pl.LazyFrame:
    return _scan_parquet(file).slice(first, count)


def _scan_rows_like(
    folder: Path, schema: pl.Schema, file: Path, first: int, count: int
) -> pl.LazyFrame:
    rows = Table(_scan_rows(file, first, count), file, PARQUET)
    return like(_with_names(folder, rows).frame, schema)


def _described(table: Table) -> str:
    return table.kind if table.has_names else f"{table.kind} without a header"

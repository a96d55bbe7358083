"""A folder of text tables, or of records, as one table."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from emkd_tf.data import parts
from emkd_tf.data.table import Table
from emkd_tf.errors import InputError


@dataclasses.dataclass(frozen=True)
class FolderTable(Table):
    """The rows of several files, one after the other.

    Attributes:
        files: each as a table.
    """

    files: Sequence[Table] = ()

    def place(self, row: int) -> str:
        """See `Table.place`; of the file that the row is in."""
        for file in self.files:
            count = file.collect(file.frame.select(pl.len())).item()
            if row < count:
                return file.place(row)
            row -= count
        raise IndexError(row)


def joined(folder: Path, tables: Sequence[Table]) -> Table:
    """Returns the tables of a folder as one.

    Raises:
        InputError: some have names of columns and others none, or are of other kinds.
    """
    first = tables[0]
    for table in tables:
        if (table.kind, table.has_names) != (first.kind, first.has_names):
            told = (f"{t.path} ({_described(t)})" for t in (first, table))
            raise InputError(
                f"{' and '.join(told)} are no one table; write them alike."
            )
    files, schemas = [t.path for t in tables], [t.schema for t in tables]
    schema = parts.common_schema(files, schemas)
    return FolderTable(
        pl.concat([parts.like(table.frame, schema) for table in tables]),
        folder,
        first.kind,
        first_line=first.first_line,
        types=first.types,
        has_names=first.has_names,
        lacking=parts.lacking(files, schemas),
        files=tables,
    )


def _described(table: Table) -> str:
    return table.kind if table.has_names else f"{table.kind} without a header"

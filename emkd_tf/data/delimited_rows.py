"""Rows of text tables: reads the fields of their lines, whole or in parts."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import polars as pl


@dataclasses.dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Attributes:
        separator: between the fields of a line.
        names: of the columns, from the header, or `column_1`, ... without one.
        types: by column, from a RecBole header (`item_id:token`).
        header_line: its number from 1, or 0 without a header.
    """

    separator: str
    names: tuple[str, ...]
    types: dict[str, str]
    header_line: int


def scan_lines(source: Path | io.BytesIO) -> pl.LazyFrame:
    """Opens a text file, compressed or not, as rows of one column, "line"; a blank line
    is null."""
    lines = pl.scan_csv(
        source,
        has_header=False,
        separator="\x01",
        quote_char=None,
        infer_schema=False,
        glob=False,
    )
    return lines.select(line=pl.first())


@dataclasses.dataclass(frozen=True)
class Form:
    """How the lines of a table are read.

    Attributes:
        dialect: of the table.
        is_quoted: the table contains quotes.
        is_plain: quotes are characters and do not enclose fields; a pair around a whole
            field is removed even then.
    """

    dialect: Dialect
    is_quoted: bool
    is_plain: bool

    def scan_part(self, lines: bytes) -> pl.LazyFrame:
        """Opens some lines of the table without its header."""
        dialect = dataclasses.replace(self.dialect, header_line=0)
        return dataclasses.replace(self, dialect=dialect).scan(io.BytesIO(lines))

    def scan(self, source: Path | io.BytesIO) -> pl.LazyFrame:
        """Opens the whole table."""
        dialect = self.dialect
        names, header_line = dialect.names, dialect.header_line
        if len(dialect.separator) > 1:  # polars takes one byte
            parts = pl.col("line").str.split_exact(dialect.separator, len(names) - 1)
            parts = parts.struct.rename_fields(list(names))
            rows = scan_lines(source).slice(header_line).select(parts.alias("line"))
            return rows.unnest("line")
        # The header may be quoted differently from the rows.
        frame = pl.scan_csv(
            source,
            has_header=False,
            skip_lines=header_line,
            separator=dialect.separator,
            schema=dict.fromkeys(names, pl.String),
            quote_char='"' if self.is_quoted and not self.is_plain else None,
            glob=False,
            raise_if_empty=False,
            missing_columns="insert",  # for a first line that is short
        )
        if not (self.is_quoted and self.is_plain) or dialect.types:
            return frame
        outer = (pl.col(n).str.extract(r'^\s*"(.*)"\s*$') for n in names)
        unquoted = (column.str.replace_all('""', '"') for column in outer)
        return frame.with_columns(map(pl.coalesce, unquoted, names))

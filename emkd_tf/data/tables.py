"""Opens files of every kind as tables that are read in pieces.

A file's kind is decided by its content rather than its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

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
from emkd_tf.data.folders import joined, parquet_table
from emkd_tf.data.movielens import is_movies, read_movies
from emkd_tf.data.reading import (
    not_utf8,
    reading,
    refuse_other_kinds,
    require_readable,
)
from emkd_tf.data.s3rec import is_sequences, scan_sequences
from emkd_tf.data.table import JSON_LINES, TEXT, Table
from emkd_tf.data.table_folders import (
    ARROW_SUFFIXES,
    PARQUET_SUFFIXES,
    table_files,
)
from emkd_tf.errors import InputError

_SAMPLE_LINES = 1000
_LONGEST_HEADER = 1 << 20  # bytes
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")  # gzip, Zstandard
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def scan_table(
    path: Path,
    known_names: Sequence[str] = (),
    look: LookAtLines = look_at_lines,
    *,
    may_be_empty: bool = False,
) -> Table:
    """Opens a file to be read in pieces.

    Args:
        path: a text table with any usual separator, JSON as a list or one record per
            line, or S3-Rec's text, each possibly compressed by gzip or Zstandard;
            Parquet; Arrow; or a folder of Parquet, delimited text or JSON.
        known_names: columns that a header would contain, besides the usual names.
        look: computes aggregates over a text table's lines.
        may_be_empty: accept a table without rows.

    Raises:
        InputError: the file is missing, empty, damaged or of an unsupported type.
    """
    require_readable(path)
    scan = _scan_folder if path.is_dir() else _scan_file
    table = scan(path, known_names, look)
    if not may_be_empty and table.collect(table.frame.head(1)).is_empty():
        raise InputError(f"{path} has no rows, only a header.")
    return table


def scan_items(path: Path, known_names: Sequence[str] = ()) -> Table:
    """Opens a table of items: any that `scan_table` opens, or MovieLens' movies, which
    it does not detect because a log may look like them (`1::2::sport`).

    Raises:
        InputError: see `scan_table`.
    """
    require_readable(path)
    with reading(path, "text"):
        lines = [] if path.is_dir() else json_tables.first_lines(path, 1)
    if lines and is_movies(lines[0]):
        return Table(read_movies(path), path, "MovieLens")
    return scan_table(path, known_names)


def _scan_folder(path: Path, known_names: Sequence[str], look: LookAtLines) -> Table:
    files = table_files(path)
    return joined(path, [_scan_file(file, known_names, look) for file in files])


def _scan_file(path: Path, known_names: Sequence[str], look: LookAtLines) -> Table:
    return _scan_typed(path) or _scan_text(path, known_names, look)


def _scan_typed(path: Path) -> Table | None:
    """Opens a file whose columns have types, or returns None."""
    with path.open("rb") as file:
        magic = file.read(6)
    suffix = path.suffix.lower()
    if magic.startswith(b"PAR1") or suffix in PARQUET_SUFFIXES:
        return parquet_table(path)
    if magic == b"ARROW1":
        return Table(pl.scan_ipc(path, glob=False), path, "Arrow")
    if suffix in ARROW_SUFFIXES:
        with reading(path, "Arrow"):
            return Table(pl.read_ipc_stream(path).lazy(), path, "Arrow")
    if magic[:2] in _UTF16:
        raise not_utf8(path, "UTF-16")
    refuse_other_kinds(path, magic)
    return None


def _scan_text(path: Path, known_names: Sequence[str], look: LookAtLines) -> Table:
    with reading(path, "csv"):
        lines = scan_lines(path).head(_SAMPLE_LINES).collect()["line"].to_list()
        filled = [line for line in lines if line and line.strip("\ufeff \t\r")]
        if not filled:
            raise pl.exceptions.NoDataError
        if _is_of_hive(path):
            raise InputError(
                f"{path} separates its columns by \\x01, as Hive does; convert it: tr "
                f"'\\001' '\\t' < {path.name} > tabs-{path.name}"
            )
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
                f"{path} separates its columns by several blanks; squeeze them: "
                f"tr -s ' ' < {path.name} > one-{path.name}"
            )
        return _delimited(path, dialect, look)


def _is_of_hive(path: Path) -> bool:
    """Returns whether the first line contains \\x01, at which `scan_lines` would end
    it; compressed files are not checked."""
    with path.open("rb") as file:
        start = file.readline(_LONGEST_HEADER)
    return b"\x01" in start and not start.startswith(_COMPRESSED)


def _delimited(path: Path, dialect: Dialect, look: LookAtLines) -> Table:
    form = find_form(path, dialect, look)
    return Table(
        read_strictly(path, dialect) if form is None else form.scan(path),
        path,
        TEXT,
        first_line=dialect.header_line + 1,
        types=dialect.types,
        has_names=dialect.header_line > 0,
        open_part=None if form is None else form.scan_part,
    )


def _scan_json(path: Path, lines: Sequence[str], first_line: int | None) -> Table:
    """Opens JSON; with blank lines, records are counted instead of lines."""
    with reading(path, "JSON"):
        if json_tables.is_record_a_line(lines):
            records, part = json_tables.scan_records(path, lines)
            return Table(records, path, JSON_LINES, first_line, open_part=part)
        return Table(json_tables.read_list(path), path, "JSON")

"""JSON as tables: a list of records, or one record or Python literal per line."""

from __future__ import annotations

import ast
import functools
import glob
import gzip
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from emkd_tf.data.delimited import knows
from emkd_tf.data.delimited_rows import scan_lines
from emkd_tf.data.json_numbers import DECODER, OF_POLARS, STRICT
from emkd_tf.errors import InputError

_GZIP = b"\x1f\x8b"
# What `parse` raises on text that is not a record.
WRONG = (ValueError, SyntaxError, TypeError, RecursionError, MemoryError)


def is_record_a_line(lines: Sequence[str]) -> bool:
    """Returns whether a file's first lines, without blank ones, are records; a single
    object without a usual column name is not one."""
    try:
        record = parse(lines[0])
    except WRONG:
        return False
    return len(lines) > 1 or knows(list(record)) > 0


def parse(line: str) -> dict[str, Any]:
    """Reads a record written as JSON or as a Python literal; no code runs.

    Raises:
        ValueError, SyntaxError, ...: the line is neither.
    """
    try:
        record = DECODER.decode(line.strip())
    except ValueError:
        record = ast.literal_eval(line.strip())
    if not isinstance(record, dict):
        raise TypeError
    return record


def records(path: Path, read: Callable[[str], Any] = parse) -> Iterator[Any]:
    """Yields the record of each line of a file, compressed or not.

    Args:
        path: the file.
        read: reads a line's record; raises one of WRONG.

    Raises:
        InputError: a line is not a record, or cannot be read.
    """
    for number, line in enumerate(text_lines(path), 1):
        if line and line.strip():
            try:
                yield read(line.strip())
            except WRONG as error:
                wrong = "is not a JSON object; correct it."
                if _is_record(line):
                    wrong = f"cannot be read; correct it. {error}"
                raise InputError(f"{path} line {number} {wrong}") from None


def _is_record(line: str) -> bool:
    try:
        return bool(parse(line))
    except WRONG:
        return False


def first_lines(path: Path, count: int) -> list[str]:
    """Returns the first lines that are not blank, whatever the file contains."""
    lines = (
        line.strip("\ufeff \t\r\n") for line in text_lines(path, "replace") if line
    )
    return list(itertools.islice(filter(None, lines), count))


def text_lines(path: Path, errors: str = "strict") -> Iterator[str | None]:
    """Yields the lines of a file, compressed or not."""
    with path.open("rb") as file:
        magic = file.read(4)
    if magic.startswith(b"\x28\xb5\x2f\xfd"):  # Zstandard; Python reads it from 3.14 on
        yield from scan_lines(path).collect(engine="streaming")["line"]
        return
    opened = gzip.open if magic.startswith(_GZIP) else open
    with opened(path, "rt", encoding="utf-8-sig", errors=errors) as lines:
        yield from lines


def scan_records(
    path: Path, sample: Sequence[str]
) -> tuple[pl.LazyFrame, Callable[[bytes], pl.LazyFrame] | None]:
    """Opens a file of one record per line; columns are texts, or lists of texts.

    Args:
        path: the file, compressed or not.
        sample: lines that show which columns there are and which are lists.

    Returns:
        The table, and a function that opens some of its lines, or None if that is
        impossible.

    Raises:
        InputError: a line is not a record.
    """
    with path.open("rb") as file:
        has_mark = file.read(3) == b"\xef\xbb\xbf"  # polars would read it as JSON
    try:
        shown = [] if has_mark else [OF_POLARS.decode(line) for line in sample]
    except ValueError:
        shown = []
    if not shown or _is_mixed(shown):
        return _frame_of_lines(path).lazy(), None
    scan = functools.partial(pl.scan_ndjson, schema=_schema(shown))
    return scan(glob.escape(str(path))), scan


def _is_mixed(found: Sequence[dict[str, Any]]) -> bool:
    """Returns whether a column holds lists in some records and values in others."""
    schema = _schema(found)
    return any(
        value is not None and isinstance(value, list) == (schema[name] == pl.String)
        for record in found
        for name, value in record.items()
    )


def _frame_of_lines(path: Path) -> pl.DataFrame:
    found = list(records(path))
    try:
        return _frame(found)
    except UnicodeEncodeError:
        for number, record in enumerate(found, 1):
            if _is_text(record):
                continue
            raise InputError(
                f"{path} record {number} holds half of a character (a \\ud83d without "
                "its other half); correct it."
            ) from None
        raise


def _is_text(record: dict[str, Any]) -> bool:
    try:
        json.dumps(record, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def require_json(path: Path) -> None:
    """Raises an InputError that names the first line that is not JSON, if any, of a
    file of one record per line."""
    for _ in records(path, STRICT.decode):
        pass


def read_list(path: Path) -> pl.LazyFrame:
    """Reads a JSON list of records; columns are texts, or lists of texts.

    Raises:
        InputError: the file contains anything else.
    """
    text = "\n".join(line or "" for line in text_lines(path))
    try:
        return _frame(DECODER.decode(text.strip())).lazy()
    except (*WRONG, AttributeError, pl.exceptions.PolarsError):
        raise InputError(
            f'{path} is not a JSON list like [{{"user": ..., "item": ...}}, ...]; '
            "correct it."
        ) from None


def _schema(found: Sequence[dict[str, Any]]) -> dict[str, pl.DataType]:
    """Returns the columns of records: lists if any record holds a list there, else
    texts, also for objects."""
    schema: dict[str, Any] = {}
    for record in found:
        for name, value in record.items():
            if isinstance(value, list):
                schema[name] = pl.List(pl.String)
            else:
                schema.setdefault(name, pl.String)
    return schema


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _frame(found: Sequence[dict[str, Any]]) -> pl.DataFrame:
    schema = _schema(found)

    def cell(value: Any, dtype: pl.DataType) -> str | list[str] | None:
        if value is None:
            return None
        if dtype == pl.String:
            return _text(value)
        values = value if isinstance(value, list) else [value]
        return [_text(v) for v in values if v is not None]

    columns = {
        name: [cell(record.get(name), dtype) for record in found]
        for name, dtype in schema.items()
    }
    return pl.DataFrame(columns, schema=schema)

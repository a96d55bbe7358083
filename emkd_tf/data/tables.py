"""CSV and Parquet files, read in pieces; what is wrong with one is one line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from emkd_tf.errors import InputError


def require_file(path: Path) -> None:
    """Raises an InputError if there is no file at a path, or none to be read."""
    if not path.is_file():
        what = "is no file" if path.exists() else "does not exist"
        raise InputError(f"{path} {what}; check the path.")
    try:
        path.open("rb").close()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None


def scan_table(path: Path) -> pl.LazyFrame:
    """Opens a CSV or Parquet file to be read in pieces; CSV columns are strings.

    Raises:
        InputError: the file is missing, empty, damaged or of another type.
    """
    require_file(path)
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise InputError(f"{path} is neither .csv nor .parquet; convert it to one.")
    if suffix == ".parquet":
        frame = pl.scan_parquet(path)
    else:
        frame = pl.scan_csv(path, infer_schema=False)
    with _reading(path):
        frame.collect_schema()
    if collect(frame.head(1), path).is_empty():
        raise InputError(f"{path} has no rows, only a header.")
    return frame


def read_table(path: Path) -> pl.DataFrame:
    """Reads a CSV or Parquet file as `scan_table` does."""
    return collect(scan_table(path), path)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except pl.exceptions.NoDataError:
        raise InputError(f"{path} is empty; it needs a header line and rows.") from None
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0]
        kind = path.suffix.lower()[1:]
        raise InputError(f"{path} cannot be read as {kind}: {reason}") from None


def collect(frame: pl.LazyFrame, path: Path) -> pl.DataFrame:
    """Computes a frame of a file's rows."""
    with _reading(path):
        return frame.collect(engine="streaming")


def require_single_values(frame: pl.LazyFrame, path: Path, name: str) -> None:
    """Raises an InputError if a column holds lists, structs or bytes."""
    dtype = frame.collect_schema()[name]
    if dtype.is_nested() or dtype == pl.Binary:
        raise InputError(
            f"{path}: column {name!r} holds {dtype}; it must hold texts or numbers."
        )


def as_text(frame: pl.LazyFrame, name: str) -> pl.Expr:
    """Returns a column as strings; a NaN is a missing value, as pandas writes it."""
    column = pl.col(name)
    if frame.collect_schema()[name].is_float():
        column = column.fill_nan(None)
    return column.cast(pl.String)


def place(path: Path, row: int) -> str:
    """Names a data row as its file's reader counts: CSV lines from 1, with a header."""
    return (
        f"{path} line {row + 2}"
        if path.suffix.lower() == ".csv"
        else f"{path} row {row}"
    )


def first_bad(
    frame: pl.LazyFrame, path: Path, is_bad: pl.Expr
) -> dict[str, Any] | None:
    """Returns the first row where `is_bad` holds, with its number as "row"."""
    bad = collect(frame.with_row_index("row").filter(is_bad).head(1), path)
    return None if bad.is_empty() else bad.row(0, named=True)

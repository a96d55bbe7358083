"""In-memory tables of a notebook, as files that a training reads."""

from __future__ import annotations

import hashlib
import io
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from emkd_tf.atomic_files import new_folder, writes_to
from emkd_tf.errors import InputError

Table = Any  # a path; or a polars, pandas or Arrow table
_FILE = "table.parquet"
# What polars and Arrow raise for values that they do not accept.
_FAILURES = (
    *(TypeError, ValueError, ImportError, RuntimeError, OverflowError, OSError),
    pl.exceptions.PolarsError,
)


def as_file(table: Table, name: str, cache_dir: str | Path | None = None) -> Path:
    """Returns the path of a table; one in memory is written to the cache, where equal
    tables share a file.

    Args:
        table: a path, or a polars, pandas or Arrow table.
        name: of the argument, for errors.
        cache_dir: see the setting.

    Raises:
        InputError: not a table, one that cannot be read, or a cache that cannot be
            written.
    """
    if isinstance(table, (str, os.PathLike)):
        return Path(table)
    from emkd_tf.data.download import cache_dir as folder_of

    frame = as_polars(table, name)
    if frame.is_empty():
        raise InputError(f"The table of `{name}` has no rows; give one with some.")
    content = _converted(frame, name, _parquet)
    digest = hashlib.sha256(content).hexdigest()[:16]
    cache = None if cache_dir is None else str(cache_dir)
    folder = folder_of(cache) / "tables" / digest
    with writes_to(folder, "`cache_dir`"):
        if not (folder / _FILE).exists():
            with new_folder(folder) as unfinished:
                (unfinished / _FILE).write_bytes(content)
    return folder / _FILE


def _parquet(frame: pl.DataFrame) -> bytes:
    content = io.BytesIO()
    frame.write_parquet(content)
    return content.getvalue()


def as_polars(table: Table, name: str) -> pl.DataFrame:
    """Returns a table in memory. Named index levels of a pandas table, which may be
    users, items or times, become columns.

    Raises:
        InputError: it is not a table, or has values that cannot be read.
    """
    if isinstance(table, pl.DataFrame):
        return table
    if isinstance(table, pl.LazyFrame):
        return _computed(table, name)
    if hasattr(table, "iloc") and hasattr(table, "columns"):
        return _converted(_without_index(table), name, pl.from_pandas)
    is_arrow = any(hasattr(table, f"__arrow_c_{x}__") for x in ("stream", "array"))
    if not is_arrow or hasattr(table, "iloc") or isinstance(table, pl.Series):
        raise InputError(
            f"`{name}` must be a path or a polars, pandas or Arrow table, got "
            f"{type(table).__name__}."
        )
    return _converted(table, name, lambda arrow: pl.DataFrame(pl.from_arrow(arrow)))


def _computed(table: pl.LazyFrame, name: str) -> pl.DataFrame:
    try:
        return table.collect()
    except _FAILURES as error:
        raise InputError(
            f"The lazy table of `{name}` cannot be computed: {_reason(error)}."
        ) from None


def _without_index(table: Any) -> Any:
    """Returns a pandas table with the named levels of its index as columns."""
    levels = [
        number
        for number, level in enumerate(table.index.names)
        if level is not None and level not in table.columns
    ]
    return table.reset_index(level=levels) if levels else table


def _converted(table: Any, name: str, convert: Callable[[Any], Any]) -> Any:
    """Returns the converted table.

    Raises:
        InputError: it cannot be converted; names the column.
    """
    names = list(getattr(table, "column_names", getattr(table, "columns", ())))
    for column, count in Counter(map(str, names)).items():
        if count > 1:
            raise InputError(
                f"The table of `{name}` has {count} columns `{column}`; keep one."
            )
    try:
        return convert(table)
    except _FAILURES as error:
        reason, of = _reason(error), f"The table of `{name}`"
    for column in names:
        try:
            convert(
                table[[column]] if hasattr(table, "iloc") else table.select([column])
            )
        except _FAILURES as error:
            reason, of = _reason(error), f"Column `{column}` of `{name}`"
            break
    raise InputError(
        f"{of} cannot be read ({reason}); make it of one kind, such as text, or leave "
        "it out."
    )


def _reason(error: Exception) -> str:
    """Returns the first line of an error."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].strip().rstrip(".")

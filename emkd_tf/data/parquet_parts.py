"""Parquet files as one table."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import polars as pl

from emkd_tf.data import parts
from emkd_tf.data.reading import reading


class Parts(NamedTuple):
    """A table of Parquet files.

    Attributes:
        frame: all rows, in the order of the files; see `parts.common_schema`.
        open_part: opens rows of one of the files like it: its path, the first row and
            their number.
        lacking: see `parts.lacking`.
    """

    frame: pl.LazyFrame
    open_part: Callable[[Path, int, int], pl.LazyFrame]
    lacking: dict[str, Path]


def scan_parquet(files: list[Path], *, in_names: bool) -> Parts:
    """Opens Parquet files as one table.

    Args:
        files: of the table, in the order of its rows.
        in_names: the folders' names hold columns (`day=1`).

    Raises:
        InputError: a file is damaged, or a column holds lists in one and single values
            in another.
    """
    named = [part.partition("=")[0] for part in files[0].parent.parts if "=" in part]
    scan = functools.partial(
        pl.scan_parquet,
        hive_partitioning=in_names,
        hive_schema=dict.fromkeys(named, pl.String) if in_names else None,
        glob=False,
    )
    schemas = []
    for file in files:
        with reading(file, "parquet"):
            schemas.append(scan(file).collect_schema())
    if all(schema == schemas[0] for schema in schemas):
        return Parts(scan(files), functools.partial(_scan_rows, scan, None), {})
    schema = parts.common_schema(files, schemas)
    frame = pl.concat([parts.like(scan(file), schema) for file in files])
    open_part = functools.partial(_scan_rows, scan, schema)
    return Parts(frame, open_part, parts.lacking(files, schemas))


def _scan_rows(
    scan: Callable[[Path], pl.LazyFrame],
    schema: pl.Schema | None,
    file: Path,
    first: int,
    count: int,
) -> pl.LazyFrame:
    rows = scan(file).slice(first, count)
    return rows if schema is None else parts.like(rows, schema)

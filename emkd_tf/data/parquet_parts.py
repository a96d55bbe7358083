"""Parquet files as one table, also where a column came later, or changed its type."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import polars as pl

from emkd_tf.data.reading import reading
from emkd_tf.data.texts import as_text
from emkd_tf.errors import InputError

_UNITS = ("ms", "us", "ns")  # of times, the finest last
_Part = Callable[[Path, int, int], pl.LazyFrame]


def scan_parts(files: list[Path], *, in_names: bool) -> tuple[pl.LazyFrame, _Part]:
    """Opens Parquet files as one table.

    A column that a file lacks is null there. Types of one kind (integers, say) become
    the widest of them; of several kinds, texts.

    Args:
        files: of the table, in the order of its rows.
        in_names: the folders' names hold columns (`day=1`).

    Returns:
        The table, and what opens rows of one of the files like it: its path, the first
        row and their number.

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
        return scan(files), functools.partial(_scan_rows, scan, None)
    schema = _common_schema(files, schemas)
    part = functools.partial(_scan_rows, scan, schema)
    return pl.concat([_like(scan(file), schema) for file in files]), part


def _scan_rows(
    scan: Callable[[Path], pl.LazyFrame],
    schema: pl.Schema | None,
    file: Path,
    first: int,
    count: int,
) -> pl.LazyFrame:
    rows = scan(file).slice(first, count)
    return rows if schema is None else _like(rows, schema)


def _like(frame: pl.LazyFrame, schema: pl.Schema) -> pl.LazyFrame:
    """Returns a frame with the columns of a schema, in its types."""
    own = frame.collect_schema()

    def column(name: str, dtype: pl.DataType) -> pl.Expr:
        if name not in own:
            return pl.lit(None, dtype)
        if own[name] != dtype == pl.String:
            return as_text(own[name], pl.col(name))
        return pl.col(name).cast(dtype)

    return frame.select(**{name: column(name, dtype) for name, dtype in schema.items()})


def _common_schema(files: Sequence[Path], schemas: Sequence[pl.Schema]) -> pl.Schema:
    found: dict[str, dict[pl.DataType, Path]] = {}
    for file, schema in zip(files, schemas, strict=True):
        for name, dtype in schema.items():
            found.setdefault(name, {}).setdefault(dtype, file)
    return pl.Schema({name: _common_type(name, of) for name, of in found.items()})


def _common_type(name: str, files: dict[pl.DataType, Path]) -> pl.DataType:
    """Returns the type of a column, by the types that it has and a file of each."""
    types = [dtype for dtype in files if dtype != pl.Null] or list(files)
    if len(types) == 1:
        return types[0]
    if all(dtype.is_integer() for dtype in types) or all(
        dtype.is_float() for dtype in types
    ):
        return _widest(types)
    times = [dtype for dtype in types if isinstance(dtype, pl.Datetime)]
    if (
        len(times) == len(types)
        and len({time.time_zone is None for time in times}) == 1
    ):
        unit = max((time.time_unit for time in times), key=_UNITS.index)
        return pl.Datetime(unit, times[0].time_zone)
    if not any(dtype.is_nested() for dtype in types):
        return pl.String()
    try:
        return _widest(types)
    except pl.exceptions.PolarsError:
        told = (f"{files[dtype]} as {dtype}" for dtype in types[:2])
        raise InputError(
            f"Column {name!r} is in {' and in '.join(told)}; write them alike."
        ) from None


def _widest(types: Iterable[pl.DataType]) -> pl.DataType:
    frames = [pl.DataFrame(schema={"column": dtype}) for dtype in types]
    return pl.concat(frames, how="vertical_relaxed").schema["column"]

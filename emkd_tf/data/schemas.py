"""Columns of files that are one table: some came later, or changed their type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from emkd_tf.data.texts import as_text
from emkd_tf.errors import InputError

_UNITS = ("ms", "us", "ns")  # of times, the finest last


def common_schema(files: Sequence[Path], schemas: Sequence[pl.Schema]) -> pl.Schema:
    """Returns the columns of all files, in the order in which they come.

    Types of one kind (integers, say) become the widest of them; of several kinds,
    texts.

    Raises:
        InputError: a column holds lists in one file and single values in another.
    """
    found: dict[str, dict[pl.DataType, Path]] = {}
    for file, schema in zip(files, schemas, strict=True):
        for name, dtype in schema.items():
            found.setdefault(name, {}).setdefault(dtype, file)
    return pl.Schema({name: _common_type(name, of) for name, of in found.items()})


def lacking(files: Sequence[Path], schemas: Sequence[pl.Schema]) -> dict[str, Path]:
    """Returns the columns that not all files have, each with a file that lacks it."""
    names = {name for schema in schemas for name in schema}
    pairs = list(zip(files, schemas, strict=True))
    return {
        name: file for file, schema in reversed(pairs) for name in names - schema.keys()
    }


def like(frame: pl.LazyFrame, schema: pl.Schema) -> pl.LazyFrame:
    """Returns a file's rows with the columns of all, in their types; a column that the
    file lacks is null."""
    own = frame.collect_schema()

    def column(name: str, dtype: pl.DataType) -> pl.Expr:
        if name not in own:
            return pl.lit(None, dtype)
        if own[name] != dtype == pl.String:
            return as_text(own[name], pl.col(name))
        return pl.col(name).cast(dtype)

    return frame.select(**{name: column(name, dtype) for name, dtype in schema.items()})


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
        examples = (f"{files[dtype]} as {dtype}" for dtype in types[:2])
        raise InputError(
            f"Column {name!r} is in {' and in '.join(examples)}; write them alike."
        ) from None


def _widest(types: Iterable[pl.DataType]) -> pl.DataType:
    frames = [pl.DataFrame(schema={"column": dtype}) for dtype in types]
    return pl.concat(frames, how="vertical_relaxed").schema["column"]

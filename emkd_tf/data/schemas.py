"""Unifies columns of files that form one table: some came later, or changed type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from emkd_tf.data.texts import as_text
from emkd_tf.errors import InputError

_UNITS = ("ms", "us", "ns")  # of times, finest last


def common_schema(files: Sequence[Path], schemas: Sequence[pl.Schema]) -> pl.Schema:
    """Returns the columns of all files, in order of appearance.

    Types of one kind (integers, say) become the widest of them; types of several kinds
    become texts.

    Raises:
        InputError: a column holds lists in one file and single values in another.
    """
    found: dict[str, dict[pl.DataType, Path]] = {}
    for file, schema in zip(files, schemas, strict=True):
        for name, dtype in schema.items():
            found.setdefault(name, {}).setdefault(dtype, file)
    return pl.Schema({name: _common_type(name, of) for name, of in found.items()})


def lacking(files: Sequence[Path], schemas: Sequence[pl.Schema]) -> dict[str, Path]:
    """Returns the columns missing from some files, each with a file that lacks it."""
    names = {name for schema in schemas for name in schema}
    pairs = list(zip(files, schemas, strict=True))
    return {
        name: file for file, schema in reversed(pairs) for name in names - schema.keys()
    }


def like(frame: pl.LazyFrame, schema: pl.Schema) -> pl.LazyFrame:
    """Returns a file's rows with the columns and types of all files; columns that the
    file lacks are null."""
    own = frame.collect_schema()

    def column(name: str, dtype: pl.DataType) -> pl.Expr:
        if name not in own:
            return pl.lit(None, dtype)
        if own[name] != dtype == pl.String:
            return as_text(own[name], pl.col(name))
        return pl.col(name).cast(dtype)

    return frame.select(**{name: column(name, dtype) for name, dtype in schema.items()})


def _common_type(name: str, files: dict[pl.DataType, Path]) -> pl.DataType:
    """Returns the common type of a column, from its types with one file each."""
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

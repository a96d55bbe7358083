"""Cells as text: ids and values exactly as written, and what stands for no value."""

from __future__ import annotations

from typing import Any

import polars as pl

# How logs write that there is no value; such a text is not an id.
NOTHING = (
    *("", "nan", "NaN", "NAN", "null", "NULL", "Null", "none", "None", "NONE"),
    *("<NA>", "<null>", "(null)", "NA", "N/A", "n/a", "#N/A", "NaT", "undefined"),
    "\\N",  # MySQL, Hive and COPY
)
EXACT_FLOATS = 2.0**53  # above it, neighbouring whole numbers share a float
_EXACT: dict[Any, float] = {pl.Float16: 2.0**11, pl.Float32: 2.0**24}  # if shorter


def as_text(dtype: pl.DataType, column: pl.Expr) -> pl.Expr:
    """Returns a column of single values as text.

    Blanks around a text are stripped. Whole numbers stored as floats (as pandas does
    next to missing values) or decimals are written without `.0`. Anything that stands
    for no value (`NOTHING`, null, NaN) is null.
    """
    if dtype.is_float():
        whole = column.cast(pl.Int64, strict=False)
        is_whole = (column == whole) & (column.abs() < _EXACT.get(dtype, EXACT_FLOATS))
        number = pl.when(is_whole).then(whole.cast(pl.String))
        return pl.when(~column.is_nan()).then(number.otherwise(column.cast(pl.String)))
    text = column.cast(pl.String)
    if dtype.is_decimal():
        return canonical(text)
    if dtype.is_integer():
        return text
    text = text.str.strip_chars()
    return pl.when(~text.is_in(NOTHING)).then(text)


def canonical(ids: pl.Expr) -> pl.Expr:
    """Returns ids with whole numbers written as floats (`17.0`) as whole numbers."""
    return ids.str.replace(r"^(-?\d+)\.0+$", "$1")

"""Cells that hold several values: `a|b`, `1, 2, 3`, `['a', 'b']`, `["a", "b"]`."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import polars as pl

from emkd_tf.data.texts import NOTHING

# Ways to write "no attribute"; the last one is MovieLens'.
NO_VALUES = (*NOTHING, "-", "(no genres listed)")
# numpy prints lists without commas; Python would join adjacent texts.
_NO_COMMA = re.compile(r"""(?<=['"])\s+(?=['"])""")


def split_cells(cells: pl.Series) -> pl.DataFrame:
    """Splits the distinct texts of a column into values.

    Bars always separate. Commas and semicolons separate only if the column consists of
    lists, that is, has no more distinct pieces than cells. A text in brackets is read
    as a JSON or Python list; no code runs.

    Args:
        cells: distinct texts, without null.

    Returns:
        Columns cell and value, one row per pair; values that mean nothing are left out.
    """
    lists = {cell: _bracketed(cell) for cell in cells}
    separator = _separator([cell for cell, values in lists.items() if values is None])
    pairs = [
        (cell, v)
        for cell, values in lists.items()
        for v in _texts(cell.split(separator) if values is None else values)
    ]
    schema = {"cell": pl.String, "value": pl.String}
    return pl.DataFrame(pairs, schema=schema, orient="row")


def _separator(cells: list[str]) -> str:
    if any("|" in cell for cell in cells):
        return "|"
    for separator in (",", ";"):
        parts = {part.strip() for cell in cells for part in cell.split(separator)}
        if any(separator in cell for cell in cells) and len(parts) <= len(cells):
            return separator
    return "|"


def _bracketed(cell: str) -> list | None:
    """Reads a list in brackets, or returns None."""
    if cell[:1] + cell[-1:] not in ("[]", "()", "{}"):
        return None
    for read in (json.loads, _python):
        try:
            values = read(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
        if isinstance(values, (list, tuple, set)):
            return list(values)
    return None


def _python(text: str) -> Any:
    return ast.literal_eval(_NO_COMMA.sub(", ", text))


def _texts(values: list) -> list[str]:
    """Returns the values as texts, with nested lists flattened."""
    texts: list[str] = []
    for value in values:
        if isinstance(value, (list, tuple, set)):
            texts += _texts(list(value))
        elif value is not None:
            texts.append(str(value).strip())
    return [text for text in texts if text not in NO_VALUES]

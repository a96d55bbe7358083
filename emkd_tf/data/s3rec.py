"""S3-Rec's files: one line per user, and a JSON object of the items' attributes.

Source: Zhou et al. 2020, https://github.com/RUCAIBox/CIKM2020-S3Rec.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from emkd_tf.data.json_tables import text_lines
from emkd_tf.data.reading import require_file
from emkd_tf.data.texts import NOTHING, as_text
from emkd_tf.errors import InputError

_MOST_COLUMNS = 4  # in a log without names
_NO_WORDS = (",", ";", "|", "\t", '"')  # a separator or a quote


def is_sequences(lines: Sequence[str]) -> bool:
    """Returns whether each line holds one user: words and blanks, of varying number; or
    more words than a log has columns, with a different user in every line."""
    counts = {len(line.split()) for line in lines}
    if min(counts) < 2 or any(mark in line for line in lines for mark in _NO_WORDS):
        return False
    users = {line.split()[0] for line in lines}
    is_wide = min(counts) > _MOST_COLUMNS and len(users) == len(lines) > 1
    return len(counts) > 1 or is_wide


def scan_sequences(lines: pl.LazyFrame) -> pl.LazyFrame:
    """Reads lines `user item item ...` in time order.

    Args:
        lines: column "line".

    Returns:
        Columns user and item, in the order of the lines.
    """
    words = pl.col("line").str.extract_all(r"\S+")
    users = lines.select(user=words.list.first(), item=words.list.slice(1))
    return users.drop_nulls("user").explode("item")


def read_s3rec_attributes(path: Path) -> pl.DataFrame:
    """Reads a JSON object that maps item ids to lists of attributes or single ones.

    Raises:
        InputError: the file is missing or contains anything else.
    """
    require_file(path)
    try:
        by_item = json.loads("\n".join(line or "" for line in text_lines(path)))
        pairs = [(i, str(v)) for i, values in by_item.items() for v in _single(values)]
        found = pl.DataFrame(
            pairs, schema={"item": pl.String, "attribute": pl.String}, orient="row"
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise InputError(
            f'{path} is not a JSON object like {{"item": ["attribute", ...]}}; correct '
            "it."
        ) from None
    ids = as_text(pl.String(), pl.col("item"))  # as in tables
    return found.with_columns(item=ids).drop_nulls().unique(maintain_order=True)


def _single(values: Any) -> list[str | int | float]:
    """Returns the values of a JSON list, or a single value as a list, without those
    that mean nothing; they must be texts or numbers."""
    values = values if isinstance(values, list) else [values]
    values = [value for value in values if value is not None and value not in NOTHING]
    if not all(isinstance(value, (str, int, float)) for value in values):
        raise TypeError
    return values

"""Finds the columns of an attribute file that are categories, and their values.

A category is a value that items share. Free text, numbers on a scale, dates and values
of a single item predict nothing about other items; they are left out by name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import polars as pl

from emkd_tf.data.attribute_lists import NO_VALUES, split_cells
from emkd_tf.data.columns import ITEM_NAMES, find_column, plain
from emkd_tf.data.table import Table
from emkd_tf.errors import InputError

_TEXT_NAMES = frozenset(
    map(plain, ("title", "description", "summary", "text", "review_text", "plot"))
)
_ADDRESS_NAMES = frozenset(map(plain, ("url", "image", "image_url", "link", "im_url")))
_SCALE_NAMES = frozenset(map(plain, ("price", "msrp", "cost", "list_price")))
_LONG_WORDS, _LONG_CHARACTERS = 4, 60  # on average, in text that no items share
_ENOUGH = 8  # values; with fewer, how often they repeat says nothing
_ALONE = 0.7  # share of distinct values, above which each belongs to one item
_NUMBER = r"^[^\w\s.-]?\s*-?\d[\d,]*(\.\d+)?([eE][-+]?\d+)?$"
_FRACTION = r"\.\d*[1-9]"
_DATE = r"^\d{4}-\d\d-\d\d|^\d{1,2}[-/.](\d{1,2}|[A-Za-z]{3})[-/.]\d{4}$"


NO_PAIRS = pl.DataFrame(schema={"item": pl.String, "attribute": pl.String})


@dataclasses.dataclass(frozen=True)
class Attributes:
    """The attributes of items and how they were read.

    Attributes:
        pairs: columns item, attribute (texts), one row per pair.
        item_column: the file's column of item ids, if it is a table.
        columns: the fields that became attributes.
        left_out: all other columns, with the reason.
    """

    pairs: pl.DataFrame
    item_column: str | None = None
    columns: Sequence[str] = ()
    left_out: dict[str, str] = dataclasses.field(default_factory=dict)


def read_attribute_table(
    table: Table,
    item_column: str | None = None,
    chosen: Sequence[str] = (),
    log_column: str | None = None,
) -> Attributes:
    """Reads a table whose other columns are fields of item attributes.

    Args:
        table: one or more rows per item; a cell holds nothing, one value or several,
            see `attribute_lists`.
        item_column: column of item ids, or None to find it by its usual names.
        chosen: columns that become attributes whatever they hold; if empty, columns
            that hold categories do.
        log_column: the items' column in the log, tried after the usual names.

    Raises:
        InputError: a column is missing, or there is none besides the items'.
    """
    path = table.path
    flag = "--attribute-item-column"
    usual = (*ITEM_NAMES, *([log_column] if log_column else []), "id")
    item = find_column(table.columns, path, "item", item_column, usual, flag)
    table.require_everywhere([item])
    for name in chosen:
        find_column(table.columns, path, "attribute", name, (), "--attribute-columns")
    fields = [name for name in table.columns if name != item]
    if not fields:
        raise InputError(f"{path} has no column beside {item!r}; add the attributes.")
    pairs, left_out = [], {}
    for field in fields:
        reason = "not among --attribute-columns" if chosen else _by_type(table, field)
        if field not in chosen and reason:
            left_out[field] = reason
            continue
        values, reason = _field(table, item, field)
        if field in chosen or not reason:
            pairs.append(values)
        else:
            left_out[field] = reason
    kept = [field for field in fields if field not in left_out]
    return Attributes(pl.concat([NO_PAIRS, *pairs]), item, kept, left_out)


def _by_type(table: Table, field: str) -> str | None:
    """Returns why a column is not a category, by its name and type, or None."""
    dtype = table.schema[field]
    name = plain(field)
    if dtype.is_temporal():
        return "dates"
    inner = getattr(dtype, "inner", dtype)  # of lists
    if isinstance(inner, pl.Struct) or inner == pl.Binary:
        return f"{dtype}"
    if inner is not dtype and inner.is_nested():
        return "lists of lists"
    if table.types.get(field, "").startswith("float") or name in _SCALE_NAMES:
        return "numbers on a scale"
    if name in _TEXT_NAMES:
        return "free text"
    return "addresses" if name in _ADDRESS_NAMES else None


def _field(table: Table, item: str, field: str) -> tuple[pl.DataFrame, str | None]:
    """Returns a field's columns item and attribute, and why it is not a category."""
    rows = table.frame.select(item=table.text(item), value=_cells(table, field))
    frame = table.collect(rows.drop_nulls())
    if frame["value"].dtype == pl.List:
        values = frame.explode("value").with_columns(pl.col("value").str.strip_chars())
        values = values.filter(~pl.col("value").is_in(NO_VALUES))
    else:
        lists = split_cells(frame["value"].unique(maintain_order=True))
        values = frame.rename({"value": "cell"}).join(
            lists, on="cell", how="inner", maintain_order="left"
        )
    values = values.select("item", "value").unique(maintain_order=True)
    named = values.select("item", attribute=pl.lit(f"{field}=") + pl.col("value"))
    return named, _no_category(values["value"])


def _cells(table: Table, field: str) -> pl.Expr:
    dtype = table.schema[field]
    if isinstance(dtype, pl.List | pl.Array):
        return pl.col(field).cast(pl.List(pl.String))
    text = table.text(field)
    if table.types.get(field) == "token_seq":
        return text.str.split(" ")
    return text


def _no_category(values: pl.Series) -> str | None:
    """Returns why the values of a column are not categories, or None."""
    distinct = values.unique()
    if not len(distinct):
        return "nothing in it"
    shares = len(distinct) / len(values)
    if distinct.str.contains(_DATE).all():
        return "dates"
    if distinct.str.contains(_NUMBER).all():
        is_money = not distinct.str.contains(r"^-?\d").all()
        if is_money or distinct.str.contains(_FRACTION).any():
            return "numbers on a scale"
    # polars' type for a mean covers every type of column, hence Any.
    words: Any = (distinct.str.count_matches(r"\s+") + 1).mean()
    characters: Any = distinct.str.len_chars().mean()
    is_long = characters > _LONG_CHARACTERS
    if is_long or (words >= _LONG_WORDS and shares > _ALONE / 2):
        return "free text"
    if len(values) >= _ENOUGH and shares > _ALONE:
        return "a value of its own for almost every item"
    return None

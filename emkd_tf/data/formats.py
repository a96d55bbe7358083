"""Readers of interaction and attribute files; every reader gives frames of the same
columns.

Actions have the columns user, item (strings) and time (number); attributes have item
and attribute (strings).
"""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import polars as pl

from emkd_tf.data.tables import (
    as_text,
    collect,
    first_bad,
    place,
    read_table,
    require_file,
    require_single_values,
    scan_table,
)
from emkd_tf.errors import InputError

USER_NAMES = ("user", "user_id", "userid", "uid", "reviewerid", "customer_id")
ITEM_NAMES = ("item", "item_id", "itemid", "iid", "asin", "parent_asin", "product_id")
TIME_NAMES = ("time", "timestamp", "ts", "unixreviewtime", "datetime", "date")


def find_column(
    columns: list[str], path: Path, flag: str, given: str | None, usual: tuple
) -> str:
    if given is not None:
        if given not in columns:
            raise InputError(
                f"{path} has no column {given!r}, it has {', '.join(columns)}; "
                f"correct --{flag}-column."
            )
        return given
    for name in columns:
        if name.lower() in usual:
            return name
    raise InputError(
        f"{path} has no {flag} column named like {', '.join(usual[:3])}, it has "
        f"{', '.join(columns)}; name it with --{flag}-column."
    )


def read_interactions(
    path: Path,
    user_column: str | None = None,
    item_column: str | None = None,
    time_column: str | None = None,
) -> pl.LazyFrame:
    """Reads a log of actions of your own.

    Args:
        path: CSV or Parquet file, one row an action.
        user_column: column of user ids, or None to find it by its usual names.
        item_column: column of item ids, likewise.
        time_column: column of numeric or (in Parquet) date times, likewise.

    Returns:
        Columns user, item, time, rows in the file's order, to be read in pieces.

    Raises:
        InputError: a missing column, an empty id, or a time that is no number.
    """
    frame = scan_table(path)
    columns = frame.collect_schema().names()
    user = find_column(columns, path, "user", user_column, USER_NAMES)
    item = find_column(columns, path, "item", item_column, ITEM_NAMES)
    time = find_column(columns, path, "time", time_column, TIME_NAMES)
    chosen = [user, item, time]
    if len(set(chosen)) < len(chosen):
        raise InputError(
            f"{path}: user, item and time must be three columns, got "
            f"{', '.join(chosen)}; correct --user-column, --item-column or "
            "--time-column."
        )
    frame = frame.select(chosen)
    for name in chosen:
        require_single_values(frame, path, name)

    def is_bad_id(name: str) -> pl.Expr:
        text = as_text(frame, name)
        return text.is_null() | (text == "") | text.str.contains(r"[\r\n]")

    for name in (user, item):
        if bad := first_bad(frame, path, is_bad_id(name)):
            raise InputError(
                f"{place(path, bad['row'])}: column {name!r} is empty or has a line "
                "break; correct or drop the row."
            )
    if frame.collect_schema()[time].is_temporal():
        frame = frame.with_columns(pl.col(time).to_physical())
    as_number = pl.col(time).cast(pl.Float64, strict=False)
    if bad := first_bad(frame, path, ~as_number.is_finite().fill_null(False)):
        raise InputError(
            f"{place(path, bad['row'])}: column {time!r} holds {bad[time]!r}, not a "
            "number; use seconds since 1970 or any number that grows with time."
        )
    # Integers stay integers: nanoseconds since 1970 do not fit a float.
    as_integer = pl.col(time).cast(pl.Int64, strict=False)
    dtype = frame.collect_schema()[time]
    exact = dtype.is_integer() or (
        dtype == pl.String
        and collect(frame.select(as_integer.null_count()), path).item() == 0
    )
    return frame.select(
        as_text(frame, user).alias("user"),
        as_text(frame, item).alias("item"),
        (as_integer if exact else as_number).alias("time"),
    )


def read_attributes(path: Path, item_column: str | None = None) -> pl.DataFrame:
    """Reads item attributes of your own.

    Args:
        path: a CSV or Parquet file whose every column but the item's is a field, a cell
            holding nothing, one value, or several separated by `|`, an item on one row
            or several; or a JSON file that maps item ids to lists of attributes.
        item_column: column of item ids, or None to find it by its usual names.

    Returns:
        Columns item, attribute (`field=value`), without duplicates.
    """
    if path.suffix.lower() == ".json":
        return read_s3rec_attributes(path)
    frame = read_table(path)
    item = find_column(frame.columns, path, "item", item_column, ITEM_NAMES)
    for name in frame.columns:
        require_single_values(frame.lazy(), path, name)
    fields = [name for name in frame.columns if name != item]
    if not fields:
        raise InputError(
            f"{path} has no column beside {item!r}; add the items' attributes."
        )

    def pairs(field: str) -> pl.DataFrame:
        value = pl.col("value").str.strip_chars()
        return (
            frame.select(
                as_text(frame.lazy(), item).alias("item"),
                as_text(frame.lazy(), field).str.split("|").alias("value"),
            )
            .explode("value")
            .filter(value.is_not_null() & (value != ""))
            .select("item", (pl.lit(f"{field}=") + value).alias("attribute"))
        )

    return pl.concat(map(pairs, fields)).unique(maintain_order=True)


def read_s3rec_sequences(path: Path) -> pl.DataFrame:
    """Reads S3-Rec's text format: one line a user, `user item item ...` in time order.

    Returns:
        Columns user, item, time, where time is the place in the line.
    """
    lines = pl.Series("line", path.read_text(encoding="utf-8").splitlines())
    words = pl.DataFrame({"words": lines.str.strip_chars().str.split(" ")})
    return (
        words.select(
            pl.col("words").list.first().alias("user"),
            pl.col("words").list.slice(1).alias("item"),
            pl.int_ranges(pl.col("words").list.len() - 1, dtype=pl.Int64).alias("time"),
        )
        .filter(pl.col("user") != "")
        .explode("item", "time")
    )


def read_s3rec_attributes(path: Path) -> pl.DataFrame:
    """Reads a JSON object that maps item ids to lists of attributes.

    Raises:
        InputError: the file is missing or holds anything else.
    """
    require_file(path)
    try:
        by_item = json.loads(path.read_text(encoding="utf-8-sig"))
        pairs = [(i, str(v)) for i, values in by_item.items() for v in _single(values)]
        found = pl.DataFrame(
            pairs, schema={"item": pl.String, "attribute": pl.String}, orient="row"
        )
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise InputError(
            f'{path} is not a JSON object like {{"item": ["attribute", ...]}}; correct '
            "it."
        ) from None
    return found.unique(maintain_order=True)


def _single(values: Any) -> list[str | int | float]:
    """Returns what a JSON list holds but null; it must be texts and numbers."""
    if not isinstance(values, list):
        raise TypeError
    values = [value for value in values if value is not None]
    if not all(isinstance(value, (str, int, float)) for value in values):
        raise TypeError
    return values


def read_movielens_1m(archive: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Reads GroupLens' ml-1m.zip: every rating is an action, genres are the attributes.

    Returns:
        Actions and attributes.

    Raises:
        InputError: no zip file, or one without `ml-1m/ratings.dat` and `movies.dat`.
    """

    def table(name: str, fields: list[str], encoding: str) -> pl.DataFrame:
        text = files.read(f"ml-1m/{name}").decode(encoding)
        # polars takes one byte as separator; a control character stands in for "::".
        return pl.read_csv(
            io.StringIO(text.replace("::", "\x1f")),
            separator="\x1f",
            has_header=False,
            new_columns=fields,
            infer_schema=False,
            quote_char=None,
        )

    try:
        with zipfile.ZipFile(archive) as files:
            ratings = table("ratings.dat", ["user", "item", "rating", "time"], "ascii")
            movies = table("movies.dat", ["item", "title", "attribute"], "latin-1")
    except (zipfile.BadZipFile, KeyError) as error:
        raise InputError(f"{archive} is not GroupLens' ml-1m.zip: {error}") from None
    actions = ratings.select("user", "item", pl.col("time").cast(pl.Int64))
    genres = movies.select("item", pl.col("attribute").str.split("|")).explode(
        "attribute"
    )
    return actions, genres

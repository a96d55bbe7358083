"""Files of histories to recommend for: one row a user, read in pieces."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from emkd_tf.data.formats import USER_NAMES, find_column
from emkd_tf.data.tables import as_text, first_bad, place, scan_table
from emkd_tf.errors import InputError

HISTORY_NAMES = ("history", "items", "item_ids", "sequence")


def scan_histories(
    path: Path, separator: str, user_column: str | None = None
) -> pl.LazyFrame:
    """Opens a file with one history a row.

    Args:
        path: CSV or Parquet file with a column of users and one of histories: item ids,
            oldest first, joined by the separator, or (in Parquet) as a list. An empty
            history is one of a new user.
        separator: between the ids of a joined history.
        user_column: column of user ids, or None to find it by its usual names.

    Returns:
        Columns user (text) and history (list of texts, without empty ones), in the
        file's order, to be read in pieces.

    Raises:
        InputError: a missing column, an empty user id, or histories that are neither
            text nor lists.
    """
    frame = scan_table(path)
    schema = frame.collect_schema()
    user = find_column(schema.names(), path, "user", user_column, USER_NAMES)
    history = next((c for c in schema.names() if c.lower() in HISTORY_NAMES), None)
    if history is None:
        raise InputError(
            f"{path} has no column `history`, it has {', '.join(schema.names())}; it "
            f"needs one row a user, with item ids joined by {separator!r}."
        )
    if isinstance(schema[history], pl.List | pl.Array):
        lists = pl.col(history).cast(pl.List(pl.String))
    elif schema[history] == pl.String:
        lists = pl.col(history).str.split(separator)
    else:
        raise InputError(
            f"{path}: column {history!r} holds {schema[history]}, not text or lists of "
            "item ids."
        )
    users = as_text(frame, user)
    is_bad = users.is_null() | (users == "")
    if bad := first_bad(frame.select(user), path, is_bad):
        raise InputError(
            f"{place(path, bad['row'])}: column {user!r} is empty; correct or drop "
            "the row."
        )
    # An empty field of a CSV file is a null.
    lists = lists.list.drop_nulls().fill_null([])
    is_text = pl.element().str.len_bytes() > 0
    return frame.select(user=users, history=lists.list.filter(is_text))

"""Files of histories to recommend for: one row per user, read in pieces."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from emkd_tf.data.columns import LIST_NAMES, USER_NAMES, find_column, usual_column
from emkd_tf.data.table import ROW
from emkd_tf.data.tables import scan_table
from emkd_tf.data.texts import as_text
from emkd_tf.errors import InputError

_HISTORY_NAMES = ("history", *LIST_NAMES)


def scan_histories(
    path: Path,
    separator: str,
    user_column: str | None = None,
    log_column: str | None = None,
) -> pl.LazyFrame:
    """Opens a file with one history per row.

    Args:
        path: table of any kind with a column of users and one of histories: item ids,
            oldest first, joined by the separator, or as a list. An empty history
            belongs to a new user.
        separator: between the ids of a joined history.
        user_column: column of user ids, or None to find it by its usual names.
        log_column: the users' column in the log, tried before the usual names.

    Returns:
        Columns user (text) and history (list of texts, without empty ones), in the
        file's order, to be read in pieces.

    Raises:
        InputError: a column is missing, a user id is empty, or histories are neither
            text nor lists.
    """
    own = [name for name in (user_column, log_column) if name]
    table = scan_table(path, [*_HISTORY_NAMES, *own], may_be_empty=True)
    schema = table.schema
    usual = (*own, *USER_NAMES)
    user = find_column(schema.names(), path, "user", user_column, usual)
    history = usual_column(schema.names(), _HISTORY_NAMES)
    if history is None:
        raise InputError(
            f"{path} has no column `history`, it has {', '.join(schema.names())}; it "
            f"needs one row a user, with item ids joined by {separator!r}."
        )
    dtype = schema[history]
    inner = dtype.inner if isinstance(dtype, pl.List | pl.Array) else None
    if isinstance(inner, pl.DataType) and not inner.is_nested():
        ids = as_text(inner, pl.element())  # as in logs
        lists = pl.col(history).cast(pl.List(inner)).list.eval(ids)
    elif isinstance(dtype, (pl.String, pl.Categorical, pl.Enum, pl.Null)):
        lists = pl.col(history).cast(pl.String).str.split(separator)
    else:
        raise InputError(
            f"{path}: column {history!r} holds {schema[history]}, not text or lists of "
            "item ids."
        )
    users = table.text(user)
    if bad := table.first_bad(users.is_null()):
        raise InputError(
            f"{table.place(bad[ROW])}: column {user!r} is empty; correct or drop "
            "the row."
        )
    # An empty field of a CSV file is a null.
    lists = lists.list.drop_nulls().fill_null([])
    lists = lists.list.eval(pl.element().str.strip_chars())
    is_text = pl.element().str.len_bytes() > 0
    return table.frame.select(user=users, history=lists.list.filter(is_text))

"""Titles of items, for people to read; models only know ids."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from emkd_tf.config import DataConfig
from emkd_tf.data.columns import ITEM_NAMES, usual_column
from emkd_tf.data.tables import scan_items
from emkd_tf.errors import InputError

TITLE_NAMES = (
    *("title", "item_title", "product_title", "movie_title", "track_title"),
    *("item_name", "product_name", "track_name", "book_title", "name"),
)


def read_titles(path: Path, item_columns: Sequence[str] = ()) -> dict[str, str]:
    """Reads the titles of items.

    Args:
        path: a table of items (see `scan_items`), with a column of ids and one of
            titles.
        item_columns: names for the item column, tried before the usual ones.

    Returns:
        The first title of each item by its id.

    Raises:
        InputError: the file cannot be read, or lacks one of the two columns.
    """
    table = scan_items(path, item_columns)
    found = {
        "item ids": usual_column(table.columns, (*item_columns, *ITEM_NAMES, "id")),
        "titles": usual_column(table.columns, TITLE_NAMES),
    }
    missing = [what for what, column in found.items() if column is None]
    if missing:
        raise InputError(
            f"{path} has no column of {' and of '.join(missing)}, it has "
            f"{', '.join(table.columns)}; call them item_id and title."
        )
    item, title = (str(column) for column in found.values())
    rows = table.frame.select(item=table.text(item), title=table.text(title))
    frame = table.collect(rows.drop_nulls().unique("item", keep="first"))
    return dict(frame.iter_rows())


def find_titles(data: DataConfig, given: str | None = None) -> dict[str, str]:
    """Returns the titles of a run's items.

    Args:
        data: of the run; its attributes are used if the file still exists and has a
            column of titles.
        given: file to use instead.

    Raises:
        InputError: see `read_titles`, for a given file.
    """
    columns = [c for c in (data.attribute_item_column, data.item_column) if c]
    if given is not None:
        return read_titles(Path(given), columns)
    if data.attributes is not None:
        with contextlib.suppress(InputError):
            return read_titles(Path(data.attributes), columns)
    return {}

"""Reads files of item attributes by their layout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from emkd_tf.data import amazon, json_tables
from emkd_tf.data.attribute_columns import Attributes, read_attribute_table
from emkd_tf.data.reading import reading, require_readable
from emkd_tf.data.s3rec import read_s3rec_attributes
from emkd_tf.data.table import JSON_LINES
from emkd_tf.data.tables import scan_items

_SAMPLE_LINES = 100


def read_attributes(
    path: Path,
    item_column: str | None = None,
    chosen: Sequence[str] = (),
    log_column: str | None = None,
) -> Attributes:
    """Reads item attributes of your own.

    Args:
        path: a table of items (see `scan_items` and `read_attribute_table`), a JSON
            object of lists as in S3-Rec, or Amazon's metadata.
        item_column: column of item ids, or None to find it by its usual names.
        chosen: columns that become attributes whatever they hold.
        log_column: the items' column in the log, tried after the usual names.

    Raises:
        InputError: a file or a column cannot be used.
    """
    require_readable(path)
    with reading(path, "text"):
        lines = [] if path.is_dir() else json_tables.first_lines(path, _SAMPLE_LINES)
    if lines and lines[0].startswith("{"):
        if not json_tables.is_record_a_line(lines):
            return Attributes(read_s3rec_attributes(path))
        if not chosen and _is_amazon(lines):
            return _read_amazon(path)
    known = [name for name in (item_column, log_column) if name]
    table = scan_items(path, known)
    return read_attribute_table(table, item_column, chosen, log_column)


def _is_amazon(lines: Sequence[str]) -> bool:
    try:
        return any(amazon.is_metadata(json_tables.parse(line)) for line in lines)
    except json_tables.WRONG:
        return False


def _read_amazon(path: Path) -> Attributes:
    with reading(path, JSON_LINES):
        pairs = amazon.read_metadata(json_tables.records(path))
    return Attributes(pairs, "asin", ["categories but the first", "brand"])

"""A log and attributes of your own: reads them by a config's options and says how."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emkd_tf.config import DataConfig
from emkd_tf.data.attribute_columns import NO_PAIRS, Attributes
from emkd_tf.data.attribute_files import read_attributes
from emkd_tf.data.interactions import Log, read_interactions
from emkd_tf.data.likely_times import hint, likely_times
from emkd_tf.data.sources import Interactions
from emkd_tf.data.splits import split_lines


def read_own(config: DataConfig) -> Interactions:
    """Reads the log and the attributes of a config.

    Raises:
        InputError: files, columns or rows cannot be used.
    """
    return content_of(config, read_interactions(config))


def content_of(config: DataConfig, log: Log) -> Interactions:
    """Returns the content of a log, and reads the attributes of its config.

    Raises:
        InputError: the attributes cannot be used.
    """
    description = {
        "kind": log.table.kind,
        "columns": log.columns,
        "unused_columns": log.unused,
        "first_dropped": log.dropped.first,
    }
    if "time" not in log.columns:
        description["likely_times"] = likely_times(log.table, log.unused)
    elif log.rounded_times:
        description["rounded_times"] = log.rounded_times
    pairs = NO_PAIRS
    if config.attributes is not None:
        found = read_own_attributes(config, log)
        pairs, description = found.pairs, {**description, **_columns_of(found)}
    has_times = "time" in log.columns
    return Interactions(log.actions, pairs, log.dropped.counts, description, has_times)


def read_own_attributes(config: DataConfig, log: Log) -> Attributes:
    """Reads the attributes of a config.

    Args:
        config: the file and its columns.
        log: the name of its item column is also looked for.

    Raises:
        InputError: the file or columns cannot be used.
    """
    assert config.attributes is not None
    return read_attributes(
        Path(config.attributes),
        config.attribute_item_column,
        chosen_columns(config),
        log.columns["item"],
    )


def chosen_columns(config: DataConfig) -> list[str]:
    """Returns the names in `attribute_columns`."""
    names = (config.attribute_columns or "").split(",")
    return [name.strip() for name in names if name.strip()]


def _columns_of(attributes: Attributes) -> dict[str, Any]:
    if attributes.item_column is None:  # not a table
        return {}
    return {
        "attribute_item_column": attributes.item_column,
        "attribute_columns": list(attributes.columns),
        "attribute_columns_left_out": attributes.left_out,
    }


def order_line(likely: Sequence[str]) -> str:
    """Says how the actions of a log without times are ordered.

    Args:
        likely: the log's columns that look like times.
    """
    line = "No time column: the rows are taken to be in time order."
    return f"{line} But {hint(likely)}." if likely else line


def rounded_line(name: str) -> str:
    """Says that a column of times has lost part of the order."""
    return (
        f"Column {name!r} holds 32-bit floats, which are the same for times within two "
        "minutes; unless these are days, write integers or 64-bit floats."
    )


def read_lines(description: dict[str, Any]) -> list[str]:
    """Says how a dataset's files were read, from its `dataset.json`: which columns were
    chosen and which were not, and where the first dropped rows are."""
    lines = []
    if columns := description.get("columns"):
        chosen = ", ".join(f"{what} = {name}" for what, name in columns.items())
        lines.append(f"Columns: {chosen}")
        if unused := description["unused_columns"]:
            lines.append(f"Columns not used: {', '.join(unused)}")
        if "time" not in columns:
            lines.append(order_line(description.get("likely_times", [])))
        elif name := description.get("rounded_times"):
            lines.append(rounded_line(name))
    lines += split_lines(description.get("split"))
    for reason, place in description.get("first_dropped", {}).items():
        lines.append(f"First row dropped for {reason}: {place}")
    if "attribute_columns" in description:
        item = description["attribute_item_column"]
        fields = ", ".join(description["attribute_columns"]) or "none"
        lines.append(f"Attribute columns: item = {item}, fields = {fields}")
    for name, reason in description.get("attribute_columns_left_out", {}).items():
        lines.append(f"Left out of the attributes: {name} ({reason})")
    return lines

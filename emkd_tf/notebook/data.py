"""Logs for a notebook: known datasets, files, or tables in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emkd_tf.config.flags import read_settings
from emkd_tf.config.sections.data import log_name
from emkd_tf.notebook.settings import as_arguments, known_ones
from emkd_tf.notebook.tables import Table, as_file

if TYPE_CHECKING:
    from emkd_tf.data.histories import Histories


@dataclasses.dataclass(frozen=True, repr=False)
class Data:
    """Prepared histories.

    Attributes:
        histories: of all users, as item numbers.
        settings: where they came from.
    """

    histories: Histories
    settings: dict[str, Any]

    def __repr__(self) -> str:
        counts = ("users", "items", "actions", "attributes")
        amounts = ", ".join(f"{self.description[key]:,} {key}" for key in counts)
        return f"Data({self.description['name']!r}: {amounts})"

    @property
    def description(self) -> dict[str, Any]:
        """The content of `dataset.json`: counts, columns, dropped rows."""
        return self.histories.description


def prepare(
    dataset: str | Table | None = None,
    *,
    interactions: Table = None,
    attributes: Table = None,
    **settings: Any,
) -> Data:
    """Prepares a known dataset, or your own log.

    Args:
        dataset: beauty, toys, ml-1m or sample, or a name for your own log. A path or a
            table here is taken as the log; what looks like a path is one.
        interactions: the log: a path as for `--interactions`, or a polars, pandas or
            Arrow table with columns for user, item and time.
        attributes: of the items, given in the same ways.
        settings: any from the section `data`, such as `item_column`; several values as
            a list.

    Raises:
        InputError, DataUnavailableError: see `emkd prepare`.
    """
    known = known_ones(settings, "prepare")
    found = with_log(
        dataset, {**known, "interactions": interactions, "attributes": attributes}
    )
    config = read_settings("emkd prepare", "", as_arguments(found)).config
    from emkd_tf.data.prepare import prepare as prepared

    return Data(prepared(config.data), found)


def with_log(dataset: str | Table | None, settings: Mapping[str, Any]) -> dict:
    """Returns settings that name the data, with in-memory tables written as files.

    Args:
        dataset: see `prepare`.
        settings: others, which may also name a dataset and a log.

    Raises:
        InputError: see `as_file`.
    """
    found = {name: value for name, value in settings.items() if value is not None}
    if "interactions" not in found and not _is_name(dataset):
        dataset, found["interactions"] = None, dataset
    if dataset is not None:
        found.setdefault("dataset", dataset)
    elif "interactions" in found:
        found.setdefault("dataset", _name_of(found["interactions"]))
    found.setdefault("dataset", "sample")
    for role in ("interactions", "attributes"):
        if role in found:
            found[role] = str(as_file(found[role], role, found.get("cache_dir")))
    return found


def _is_name(dataset: Any) -> bool:
    """Tells a dataset's name from a path; a folder may have a dataset's name."""
    from emkd_tf.data.sources import SOURCES

    if not isinstance(dataset, str):
        return dataset is None
    path = Path(dataset)
    is_path = path.name != dataset or path.suffix or path.exists()
    return dataset in ("sample", *SOURCES) or not dataset or not is_path


def _name_of(table: Table) -> str:
    return log_name(str(table)) if isinstance(table, (str, Path)) else "log"

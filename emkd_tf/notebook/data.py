"""Logs of a notebook: known datasets, files, or tables in memory."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from emkd_tf.config import KEYS, nearest
from emkd_tf.config.flags import as_flags, read_settings
from emkd_tf.config.sections.data import log_name
from emkd_tf.errors import InputError

if TYPE_CHECKING:
    from emkd_tf.data.histories import Histories

Table = Any  # a path; or a polars, pandas or Arrow table


@dataclasses.dataclass(frozen=True, repr=False)
class Data:
    """Prepared histories.

    Attributes:
        histories: of all users, by item numbers.
        settings: that say where they came from.
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
    """Prepares a known dataset, or a log of one's own.

    Args:
        dataset: beauty, toys, ml-1m or sample; of a log of one's own its name. A path
            or a table here is the log.
        interactions: the log: a path as for `--interactions`, or a polars, pandas or
            Arrow table with columns for user, item and time.
        attributes: of the items, likewise.
        settings: any of the section `data` of the settings, such as `item_column`.

    Raises:
        InputError, DataUnavailableError: as of `emkd prepare`.
    """
    for name in settings:
        if KEYS.get(name) != "data":
            known = [key for key in KEYS if KEYS[key] == "data"]
            raise InputError(
                f"`{name}` is not a setting of the data. {nearest(name, known)}"
            )
    if interactions is None and not _is_name(dataset):
        dataset, interactions = None, dataset
    if dataset is None:
        dataset = "sample" if interactions is None else _name_of(interactions)
    settings["dataset"] = dataset
    tables = {"interactions": interactions, "attributes": attributes}
    for role, table in tables.items():
        if table is not None:
            settings[role] = str(_as_file(table, settings.get("cache_dir")))
    config = read_settings("emkd prepare", "", as_flags(settings)).config
    from emkd_tf.data.prepare import prepare as prepared

    return Data(prepared(config.data), settings)


def _is_name(dataset: Any) -> bool:
    """Tells a dataset's name from a path; a folder may be called like a dataset."""
    from emkd_tf.data.sources import SOURCES

    if dataset is None or not isinstance(dataset, str):
        return dataset is None
    return dataset in ("sample", *SOURCES) or not Path(dataset).exists()


def _name_of(table: Table) -> str:
    return log_name(str(table)) if isinstance(table, (str, Path)) else "log"


def _as_file(table: Table, cache_dir: str | None) -> Path:
    """Returns the path of a table, written to the cache if it is in memory, where equal
    tables are one file."""
    if isinstance(table, (str, Path)):
        return Path(table)
    from emkd_tf.data.download import cache_dir as folder_of

    frame = _as_polars(table)
    if frame.is_empty():
        raise InputError("The table has no rows; give one with a row an action.")
    content = io.BytesIO()
    frame.write_parquet(content)
    digest = hashlib.sha256(content.getvalue()).hexdigest()[:16]
    path = Path(folder_of(cache_dir)) / "tables" / f"{digest}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.write_bytes(content.getvalue())
    return path


def _as_polars(table: Table) -> pl.DataFrame:
    if isinstance(table, pl.DataFrame):
        return table
    if isinstance(table, pl.LazyFrame):
        return table.collect()
    try:
        if hasattr(table, "iloc"):  # pandas; without its index
            return pl.from_pandas(table)
        return pl.DataFrame(pl.from_arrow(table))
    except (TypeError, ValueError, ImportError) as error:
        raise InputError(
            f"A table must be a path or a polars, pandas or Arrow table, got "
            f"{type(table).__name__} ({error})."
        ) from None

"""Which files of a folder are the table that a writer of Parquet has put there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from emkd_tf.errors import InputError

PARQUET_SUFFIXES = (".parquet", ".pq", ".parq")
ARROW_SUFFIXES = (".feather", ".arrow", ".arrows", ".ipc")
_VERSIONED = {"_delta_log": "Delta", ".hoodie": "Hudi"}
# A text of notes may lie beside Parquet, but no other table.
_OTHER_SUFFIXES = (*ARROW_SUFFIXES, ".csv", ".tsv", ".json", ".jsonl", ".gz", ".zst")


def parquet_files(folder: Path) -> list[Path]:
    """Returns the Parquet files of a folder in the order of their names.

    Raises:
        InputError: there are other tables beside them, Parquet without its ending, or
            files of a Delta or Hudi table, of which others may have taken the place.
    """
    files = sorted(p for p in _walk(folder) if not _is_hidden(p, folder))
    parquet = [p for p in files if p.suffix.lower() in PARQUET_SUFFIXES]
    others = [p for p in files if p.suffix.lower() in _OTHER_SUFFIXES]
    others += [p for p in files if p not in parquet and _begins_as_parquet(p)]
    if parquet and others:
        raise InputError(
            f"{folder} holds {others[0].relative_to(folder)} beside Parquet; give a "
            "folder of Parquet alone, or one file."
        )
    for name, kind in _VERSIONED.items():
        if (folder / name).exists():
            raise InputError(
                f"{folder} is a {kind} table, whose folder may hold files that are no "
                "longer of it; write the table as Parquet and give that folder."
            )
    return parquet


def _walk(folder: Path) -> Iterator[Path]:
    """Yields the files of a folder, also behind links, each folder once."""
    seen: set[str] = set()
    for path, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(path)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (file for name in names if (file := Path(path) / name).is_file())


def _begins_as_parquet(path: Path) -> bool:
    """Hive and Trino write files without an ending."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _is_hidden(path: Path, folder: Path) -> bool:
    """Writers keep their own files behind such names; `_day=1` is a column."""
    parts = path.relative_to(folder).parts
    return any(part.startswith(("_", ".")) and "=" not in part for part in parts)

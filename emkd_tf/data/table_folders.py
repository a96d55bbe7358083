"""Finds the files of a folder that make up the table a writer put there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from emkd_tf.errors import InputError

PARQUET_SUFFIXES = (".parquet", ".pq", ".parq")
ARROW_SUFFIXES = (".feather", ".arrow", ".arrows", ".ipc")
_TEXT_SUFFIXES = (".csv", ".tsv", ".json", ".jsonl", ".ndjson")
_COMPRESSED = (".gz", ".zst")
_VERSIONED = {"_delta_log": "Delta", ".hoodie": "Hudi"}


def table_files(folder: Path) -> list[Path]:
    """Returns the Parquet files of a folder, or else its text files, ordered by name.

    Raises:
        InputError: there are none, or there are tables of several kinds.
    """
    files = parquet_files(folder) or _text_files(folder)
    if not files:
        kinds = ", ".join((*PARQUET_SUFFIXES[:1], *_TEXT_SUFFIXES))
        raise InputError(f"{folder} holds no table; give a file, or one of {kinds}.")
    return files


def parquet_files(folder: Path) -> list[Path]:
    """Returns the Parquet files of a folder, ordered by name.

    Raises:
        InputError: there are also other tables or Parquet files without the suffix, or
            it is a Delta or Hudi table, some of whose files may be outdated.
    """
    files = _files(folder)
    parquet = [p for p in files if p.suffix.lower() in PARQUET_SUFFIXES]
    # A text file with notes may lie next to Parquet, but no other table.
    others = [p for p in files if _kind(p) in (*ARROW_SUFFIXES, *_TEXT_SUFFIXES)]
    others += [p for p in files if p.suffix.lower() in _COMPRESSED]
    others += [p for p in files if p not in parquet and _begins_as_parquet(p)]
    if parquet and others:
        raise InputError(
            f"{folder} holds {others[0].relative_to(folder)} beside Parquet; give a "
            "folder of Parquet alone, or one file."
        )
    for name, kind in _VERSIONED.items():
        if (folder / name).exists():
            raise InputError(
                f"{folder} is a {kind} table, whose folder may hold files that no "
                "longer belong to the table; write it as Parquet and give that folder."
            )
    return parquet


def _text_files(folder: Path) -> list[Path]:
    tables = [p for p in _files(folder) if _kind(p) in _TEXT_SUFFIXES]
    for path in tables:
        if _kind(path) != _kind(tables[0]):
            first, other = (p.relative_to(folder) for p in (tables[0], path))
            raise InputError(
                f"{folder} holds {first} and {other}; give a folder of one kind of "
                "files, or one file."
            )
    return [path for path in tables if path.stat().st_size]  # Spark writes empty parts


def _kind(path: Path) -> str:
    """Returns a file's suffix, or the one before `.gz` or `.zst`."""
    is_compressed = path.suffix.lower() in _COMPRESSED
    return Path(path.stem if is_compressed else path.name).suffix.lower()


def _files(folder: Path) -> list[Path]:
    return sorted((p for p in _walk(folder) if not _is_hidden(p, folder)), key=_order)


def _order(path: Path) -> tuple[list[list[str | int]], Path]:
    """Orders by name, with numbers in it by value: `month=2` before `month=10`."""
    parts = [re.split(r"(\d+)", part) for part in path.parts]
    numbered: list[list[str | int]] = [
        [int(text) if place % 2 else text for place, text in enumerate(texts)]
        for texts in parts
    ]
    return numbered, path


def _walk(folder: Path) -> Iterator[Path]:
    """Yields the files of a folder, following links but visiting each folder once."""
    seen: set[str] = set()
    for path, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(path)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (file for name in names if (file := Path(path) / name).is_file())


def _begins_as_parquet(path: Path) -> bool:
    """Hive and Trino write files without a suffix."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _is_hidden(path: Path, folder: Path) -> bool:
    """Writers give their own files such names; `_day=1` is a column."""
    parts = path.relative_to(folder).parts
    return any(part.startswith(("_", ".")) and "=" not in part for part in parts)

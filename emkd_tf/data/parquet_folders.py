"""Which files of a folder are the table that a writer of Parquet has put there."""

from __future__ import annotations

from pathlib import Path

from emkd_tf.errors import InputError

PARQUET_SUFFIXES = (".parquet", ".pq", ".parq")
ARROW_SUFFIXES = (".feather", ".arrow", ".arrows", ".ipc")
# A text of notes may lie beside Parquet, but no other table.
_OTHER_SUFFIXES = (*ARROW_SUFFIXES, ".csv", ".tsv", ".json", ".jsonl", ".gz", ".zst")


def parquet_files(folder: Path) -> list[Path]:
    """Returns the Parquet files of a folder in the order of their names.

    Raises:
        InputError: there are other tables beside them, or a Delta table's files, of
            which some may be replaced by others.
    """
    found = [p for p in folder.rglob("*") if p.is_file() and not _is_hidden(p, folder)]
    files = sorted(found)
    parquet = [p for p in files if p.suffix in PARQUET_SUFFIXES]
    others = [p for p in files if p.suffix.lower() in _OTHER_SUFFIXES]
    if parquet and others:
        raise InputError(
            f"{folder} holds {others[0].relative_to(folder)} beside Parquet; give a "
            "folder of Parquet alone, or one file."
        )
    if (folder / "_delta_log").exists():
        raise InputError(
            f"{folder} is a Delta table, whose folder may hold files that are no "
            "longer of it; write the table as Parquet and give that folder."
        )
    return parquet


def _is_hidden(path: Path, folder: Path) -> bool:
    """Writers keep their own files behind such names; `_day=1` is a column."""
    parts = path.relative_to(folder).parts
    return any(part.startswith(("_", ".")) and "=" not in part for part in parts)

"""Files and folders that are there whole or not at all, and what is said of those that
cannot be written."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emkd_tf.errors import InputError


@contextlib.contextmanager
def writes_to(path: Path, flag: str) -> Iterator[None]:
    """Turns the system's errors of a block that writes to a place into one line.

    Args:
        path: file or folder that the block writes.
        flag: that names it, as "--output".

    Raises:
        InputError: it cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}); choose another {flag}."
        ) from None


@contextlib.contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yields a folder beside `target` that takes its place when the block succeeds.

    If another process made `target` meanwhile, that one stays.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield unfinished
        unfinished.chmod(0o755)  # mkdtemp's own is 0700
        try:
            unfinished.rename(target)
        except OSError:
            if not target.is_dir():
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Writes a UTF-8 text file in one step."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file in one step."""
    unfinished = path.with_name(f".{path.name}.tmp")
    unfinished.write_bytes(content)
    os.replace(unfinished, path)


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """Links a file, which takes no room, or copies it where the file system cannot."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def write_json(path: Path, content: Any) -> None:
    """Writes a JSON file in one step."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Reads a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))

"""Writes files and folders whole or not at all, and explains in one line when that
fails."""

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
    """Turns an OSError in a block that writes to `path` into one line.

    Args:
        path: file or folder that the block writes.
        flag: the flag that names it, such as "--output".

    Raises:
        InputError: `path` cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}); choose another {flag}."
        ) from None


@contextlib.contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yields a folder next to `target` that takes its place when the block succeeds.

    If another process has created `target` in the meantime, that one stays.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield unfinished
        unfinished.chmod(0o755)  # mkdtemp creates it with 0700
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
    """Hard-links a file, which takes no space, or copies it if linking fails."""
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

"""Folders to write to, tried before there is anything to lose."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from emkd_tf.atomic_files import writes_to


@contextlib.contextmanager
def tried_folder(folder: Path, flag: str) -> Iterator[None]:
    """Makes a folder for the block to write to, and tries it.

    Args:
        folder: to write to.
        flag: that names it.

    Raises:
        InputError: it, or what the block writes, cannot be written.
    """
    with writes_to(folder, flag):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass  # an existing folder may be closed to us
        yield

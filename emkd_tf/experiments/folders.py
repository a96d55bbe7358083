"""Folders that are written to, tried before there is anything to lose."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from emkd_tf.errors import InputError


@contextlib.contextmanager
def writing(folder: Path, flag: str) -> Iterator[None]:
    """Makes a folder, and tries it, for what the block writes to it.

    Args:
        folder: to write to.
        flag: that names it.

    Raises:
        InputError: it, or what the block writes, cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass  # a folder that is there may be closed to us
        yield
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written ({error.strerror}); choose another {flag}."
        ) from None

"""Captures what C++ and Java libraries write to standard error, bypassing Python."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import IO

STDERR = 2  # even where sys.stderr is something else, as in notebooks


@contextlib.contextmanager
def standard_error_to(file: IO[bytes]) -> Iterator[None]:
    """Redirects standard error of this process to a file for the length of the block,
    and that of processes started inside for as long as they live."""
    sys.stderr.flush()
    before = os.dup(STDERR)
    try:
        os.dup2(file.fileno(), STDERR)
        yield
    finally:
        os.dup2(before, STDERR)
        os.close(before)

"""What libraries in C++ and Java write to standard error, past Python."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import IO

STDERR = 2  # also where Python's own is another, as in notebooks


@contextlib.contextmanager
def standard_error_to(file: IO[bytes]) -> Iterator[None]:
    """Sends what this process and those that it starts write to standard error to a
    file, as long as the block lasts; processes keep it for their whole lives."""
    sys.stderr.flush()
    before = os.dup(STDERR)
    try:
        os.dup2(file.fileno(), STDERR)
        yield
    finally:
        os.dup2(before, STDERR)
        os.close(before)

"""Explains in one line what goes wrong when a file is read."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from emkd_tf.errors import InputError

_OTHER_KINDS = {
    b"PK": "a zip archive or a workbook",
    b"\xd0\xcf\x11\xe0": "a workbook of old Excel",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ": "compressed by xz",
    b"ORC": "an ORC file",
    b"\x80\x04\x95": "a pickle, which is never loaded",
    b"\x80\x05\x95": "a pickle, which is never loaded",
}
_ARCHIVES = (".tar", ".tgz", ".tbz2", ".txz")


def require_file(path: Path) -> None:
    """Raises an InputError if there is no file at a path, or it cannot be read."""
    if not path.is_file():
        what = "is not a file" if path.exists() else "does not exist"
        raise InputError(f"{path} {what}; check the path.")
    require_readable(path)


def require_readable(path: Path) -> None:
    """Raises an InputError if a file or folder does not exist or cannot be read."""
    if not path.exists():
        raise InputError(f"{path} does not exist; check the path.")
    if not path.is_file() and not path.is_dir():  # such as a pipe
        raise InputError(f"{path} is not a file; write what it holds to one.")
    try:
        if path.is_dir():
            next(path.iterdir(), None)
        else:
            path.open("rb").close()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None


def refuse_other_kinds(path: Path, magic: bytes) -> None:
    """Raises an InputError if a file's first bytes, or its name, are of an unsupported
    kind."""
    for mark, what in _OTHER_KINDS.items():
        if magic.startswith(mark):
            raise InputError(f"{path} is {what}; unpack it, or save it as CSV.")
    if path.suffix.lower() in _ARCHIVES or Path(path.stem).suffix.lower() == ".tar":
        raise InputError(f"{path} is an archive; unpack it.")


@contextlib.contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Turns errors from reading a file into an InputError.

    Args:
        path: the file.
        kind: what it is read as, for the error.
    """
    try:
        yield
    except pl.exceptions.NoDataError:
        raise InputError(f"{path} is empty; it needs a header line and rows.") from None
    except UnicodeDecodeError:
        raise not_utf8(path) from None
    except (pl.exceptions.PolarsError, OSError, EOFError, zlib.error) as error:
        reason = str(error).splitlines()[0]
        if "utf-8" in reason.lower() or "utf8" in reason.lower():
            raise not_utf8(path) from None
        raise InputError(f"{path} cannot be read as {kind}: {reason}") from None


def not_utf8(path: Path, encoding: str = "LATIN1") -> InputError:
    """Returns the error for a text file in another encoding."""
    return InputError(
        f"{path} is not UTF-8 text; convert it: iconv -f {encoding} -t UTF-8 "
        f"{path.name} > utf8-{path.name}"
    )

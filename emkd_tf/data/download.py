"""Finds a raw file in the data folder or downloads it, whatever it contains."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pooch

from emkd_tf.data.reading import require_file
from emkd_tf.errors import DataUnavailableError, InputError

_TIMEOUT_SECONDS = 30


@dataclasses.dataclass(frozen=True)
class RemoteFile:
    """A file with its public address (None: placed by hand) and its sha256."""

    name: str
    url: str | None
    sha256: str


def cache_dir(configured: str | None) -> Path:
    """Returns the folder of prepared data: configured, $EMKD_CACHE_DIR, the user's
    cache."""
    chosen = configured or os.environ.get("EMKD_CACHE_DIR") or pooch.os_cache("emkd-tf")
    return Path(chosen).expanduser()


def data_dir(configured: str | None, cache: Path) -> Path:
    """Returns the folder of raw files: configured, $EMKD_DATA_DIR, `raw` in the
    cache."""
    chosen = configured or os.environ.get("EMKD_DATA_DIR") or cache / "raw"
    return Path(chosen).expanduser()


def sha256(path: Path) -> str:
    """Returns the hexadecimal sha256 of a file's bytes."""
    return pooch.file_hash(str(path), alg="sha256")


def fetch(file: RemoteFile, folder: Path) -> Path:
    """Returns the verified path of a file in `folder`, downloading it if it is not
    there.

    Raises:
        InputError: the bytes do not have the expected sha256 (truncated, or another
            file).
        DataUnavailableError: the file is absent and cannot be downloaded.
    """
    path = folder / file.name
    if path.exists():
        require_file(path)
        if sha256(path) != file.sha256:
            raise InputError(
                f"{path} is truncated or not the expected file (sha256 differs from "
                f"{file.sha256[:12]}...); delete it and run again."
            )
        return path
    try:
        pooch.retrieve(
            url=file.url,
            known_hash=f"sha256:{file.sha256}",
            fname=file.name,
            path=folder,
            downloader=pooch.HTTPDownloader(progressbar=True, timeout=_TIMEOUT_SECONDS),
        )
    except ValueError as error:  # pooch's error for a hash mismatch; nothing is kept
        if "hash" not in str(error).lower():
            raise
        raise InputError(
            f"Download of {file.url} was truncated or changed (sha256 differs from "
            f"{file.sha256[:12]}...); run again, or put the file into {folder} by hand."
        ) from None
    except (
        OSError
    ) as error:  # requests' errors are OSErrors, so is a folder we may not write
        raise DataUnavailableError(
            f"{file.name} is not in {folder} and cannot be downloaded "
            f"({type(error).__name__}): get {file.url} and put it into "
            f"{folder.resolve()}."
        ) from None
    return path

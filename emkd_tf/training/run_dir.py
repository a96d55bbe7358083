"""The run directory: made, locked, and found again by a training that continues it."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import importlib.metadata
import itertools
import os
import platform
import re
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import filelock
import tensorflow as tf

from emkd_tf.atomic_files import write_json
from emkd_tf.config import Config
from emkd_tf.data.histories import Histories
from emkd_tf.errors import InputError
from emkd_tf.training import run_data
from emkd_tf.training.run_config import (
    changed_settings,
    is_unfinished,
    read_config,
    unfinished_runs,
    write_config,
)

_PACKAGES = ("tensorflow", "tf-keras", "tensorflow-recommenders", "numpy", "polars")
# What a run directory has before its config makes it one.
_BEFORE_CONFIG = {".lock", "environment.json", "dataset.json"}
_UNWRITABLE = ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EISDIR", "ENOTDIR")


@dataclasses.dataclass(frozen=True)
class RunDir:
    """A run directory that this process writes.

    Attributes:
        path: of the directory.
        is_resumed: it held an unfinished run with the same settings.
        lock: keeps other processes away while it lives.
    """

    path: Path
    is_resumed: bool
    lock: filelock.BaseFileLock | None = None


@contextlib.contextmanager
def opened(config: Config, histories: Histories) -> Iterator[RunDir]:
    """Opens or makes the run directory, which belongs to this process inside the block.

    Raises:
        InputError: see `open_or_create` and `writing`.
    """
    with writing(Path(config.run.runs_dir) / (config.run.name or "")):
        run_dir = open_or_create(config, histories)
        assert run_dir.lock is not None
        try:
            yield run_dir
        finally:
            run_dir.lock.release()


def open_or_create(config: Config, histories: Histories) -> RunDir:
    """Makes the run directory, or opens the unfinished one with the same settings.

    A configured name decides the directory; without one it is the newest unfinished run
    with the same settings, or a new one.

    Raises:
        InputError: the named run is finished, has other settings or data, or another
            process is writing it.
    """
    runs = Path(config.run.runs_dir)
    if config.run.name is not None:
        return _named(config, histories, runs / config.run.name)
    for path in unfinished_runs(config):
        if not _obstacle(config, histories, path):
            lock = _lock(path)
            if lock is not None:
                return _resumed(path, histories, lock)
    now = datetime.now().strftime("%Y%m%d-%H%M%S")
    name = f"{config.data.dataset}-{now}-seed{config.training.seed}"
    with _creating(runs / name):
        path = _new_folder(runs / name)
    return _create(config, histories, path)


def _new_folder(path: Path) -> Path:
    """Makes a directory, with a number after its name if another run of the same second
    has that name."""
    for number in itertools.count(1):
        free = path if number == 1 else path.with_name(f"{path.name}-{number}")
        with contextlib.suppress(FileExistsError):
            free.mkdir(parents=True)
            return free
    raise AssertionError  # numbers do not end


def _named(config: Config, histories: Histories, path: Path) -> RunDir:
    if not path.exists() or _is_unmade(path):
        return _create(config, histories, path)
    if not is_unfinished(path):
        raise InputError(
            f"Run directory {path} exists already and holds no unfinished run; choose "
            "another --name."
        )
    if config.training.resume == "never":
        raise InputError(
            f"Run directory {path} holds an unfinished run; --resume auto continues "
            "it, or choose another --name."
        )
    if obstacle := _obstacle(config, histories, path):
        raise InputError(f"{obstacle} Choose another --name, or the same settings.")
    lock = _lock(path)
    if lock is None:
        raise InputError(f"Another process is training {path}; choose another --name.")
    return _resumed(path, histories, lock)


def _is_unmade(path: Path) -> bool:
    """Tells whether a directory is empty, or left by a process that was stopped while
    making it."""
    return all(
        entry.name in _BEFORE_CONFIG or re.fullmatch(r"\..*\.tmp", entry.name)
        for entry in path.iterdir()
    )


def _resumed(path: Path, histories: Histories, lock: filelock.BaseFileLock) -> RunDir:
    run_data.keep(histories, path)
    return RunDir(path, True, lock)


def _obstacle(config: Config, histories: Histories, path: Path) -> str | None:
    """Returns why a run cannot be continued with a config, or None."""
    try:
        changed = changed_settings(read_config(path), config)
        fingerprint = run_data.trained_on(path)[1]
    except InputError as error:
        return str(error)
    if changed:
        listed = ", ".join(changed)
        return f"The unfinished run in {path} has other settings: {listed}."
    if fingerprint != histories.fingerprint:
        return f"The unfinished run in {path} was trained on other data."
    return None


def _create(config: Config, histories: Histories, path: Path) -> RunDir:
    with _creating(path):
        path.mkdir(parents=True, exist_ok=True)
        lock = _lock(path)
        if lock is None:
            raise InputError(f"Another process is training {path}; choose a --name.")
        write_json(path / "environment.json", _environment())
        write_json(path / "dataset.json", histories.description)
        write_config(path, config)
        run_data.keep(histories, path)
    return RunDir(path, False, lock)


@contextlib.contextmanager
def _creating(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"Run directory {path} cannot be created ({error.strerror}); choose "
            "another --runs-dir."
        ) from None


def _lock(path: Path) -> filelock.BaseFileLock | None:
    """Locks a run directory until this process ends, or returns None."""
    lock = filelock.FileLock(path / ".lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        return None
    return lock


def _environment() -> dict:
    versions: dict[str, str | None] = {}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = None
    return {
        "command": sys.argv,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "devices": [device.name for device in tf.config.list_logical_devices()],
        "packages": versions,
    }


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what Python and TensorFlow raise when a folder cannot be written into one
    line.

    Raises:
        InputError: the disk is full, or a file or folder is not writable.
    """
    try:
        yield
        return
    except OSError as error:
        reason = error.strerror
    except tf.errors.OpError as error:
        words = [os.strerror(getattr(errno, name)) for name in _UNWRITABLE]
        known = [word for word in words if word.lower() in str(error).lower()]
        if not known:
            raise
        reason = known[0]
    raise InputError(
        f"Run directory {path} cannot be written ({reason}); fix that and repeat the "
        "command, or choose another --runs-dir."
    )

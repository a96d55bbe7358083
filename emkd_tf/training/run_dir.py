"""The run directory: what a run writes down, and how a finished run is opened again."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import polars as pl
import tensorflow as tf
import yaml

from emkd_tf.config import Config, from_flat, to_flat
from emkd_tf.config_files import read_yaml
from emkd_tf.data.histories import Histories
from emkd_tf.data.prepare import prepare
from emkd_tf.errors import InputError
from emkd_tf.files import read_json, write_json, write_text
from emkd_tf.models.emkd import EMKD
from emkd_tf.models.ensemble import Ensemble
from emkd_tf.training.build import build_model
from emkd_tf.training.checkpoints import restore

_PACKAGES = ("tensorflow", "tf-keras", "tensorflow-recommenders", "numpy", "polars")


# What a run may be continued with: where things are and what follows the training.
_MAY_CHANGE = {
    *("name", "runs_dir", "data_dir", "cache_dir", "saved_models_dir"),
    *("resume", "export", "k", "checkpoint_steps", "on_nonfinite", "max_skipped"),
    "worker_timeout",
}
_UNWRITABLE = ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EISDIR", "ENOTDIR")


@dataclasses.dataclass(frozen=True)
class RunDir:
    """A run directory that this process writes.

    Attributes:
        path: of the directory.
        is_resumed: it held an unfinished run of the same settings.
        lock: keeps other processes away while it lives.
    """

    path: Path
    is_resumed: bool
    lock: filelock.BaseFileLock | None = None


def open_or_create(config: Config, histories: Histories) -> RunDir:
    """Makes the run directory, or opens the unfinished one of the same settings.

    A configured name decides the directory; without one it is the newest unfinished run
    with the same settings, or a new one.

    Raises:
        InputError: the named run is finished, has other settings or data, or another
            process is writing it.
    """
    runs = Path(config.run.runs_dir)
    if config.run.name is not None:
        return _named(config, histories, runs / config.run.name)
    if config.training.resume == "auto":
        for path in sorted(runs.glob("*"), reverse=True):
            if _is_unfinished(path) and not _obstacle(config, histories, path):
                lock = _lock(path)
                if lock is not None:
                    return RunDir(path, True, lock)
    now = datetime.now().strftime("%Y%m%d-%H%M%S")
    name = f"{config.data.dataset}-{now}-seed{config.training.seed}"
    return _create(config, histories, runs / name)


def _named(config: Config, histories: Histories, path: Path) -> RunDir:
    if not path.exists() or not any(path.iterdir()):
        return _create(config, histories, path)
    if not _is_unfinished(path):
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
    return RunDir(path, True, lock)


def _is_unfinished(path: Path) -> bool:
    return (path / "config.yaml").exists() and not (path / "metrics.json").exists()


def _obstacle(config: Config, histories: Histories, path: Path) -> str | None:
    """Returns why a run cannot be continued with a config, if so."""
    try:
        old = to_flat(read_config(path))
        trained_on = _trained_on(path)["fingerprint"]
    except InputError as error:
        return str(error)
    new = to_flat(config)
    changed = [k for k in new if k not in _MAY_CHANGE and old[k] != new[k]]
    if changed:
        listed = ", ".join(f"`{k}` was {old[k]}, is {new[k]}" for k in changed)
        return f"The unfinished run in {path} has other settings: {listed}."
    if trained_on != histories.fingerprint:
        return f"The unfinished run in {path} was trained on other data."
    return None


def _create(config: Config, histories: Histories, path: Path) -> RunDir:
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = _lock(path)
        if lock is None:
            raise InputError(f"Another process is training {path}; choose a --name.")
        write_text(
            path / "config.yaml", yaml.safe_dump(to_flat(config), sort_keys=False)
        )
        write_json(path / "environment.json", _environment())
        write_json(path / "dataset.json", histories.description)
    except OSError as error:
        raise InputError(
            f"Run directory {path} cannot be made ({error.strerror}); choose another "
            "--runs-dir."
        ) from None
    return RunDir(path, False, lock)


def _lock(path: Path) -> filelock.BaseFileLock | None:
    """Locks a run directory until this process ends, or returns None."""
    lock = filelock.FileLock(path / ".lock")
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        return None
    return lock


def _environment() -> dict:
    versions = {}
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


def write_ranks(
    path: Path,
    histories: Histories,
    ranks_by_split: dict[str, dict[str, np.ndarray]],
) -> None:
    """Writes `per_user.parquet`: each user's rank per split and protocol."""
    columns = {
        f"{split}_{protocol}": ranks
        for split, by_protocol in ranks_by_split.items()
        for protocol, ranks in by_protocol.items()
    }
    unfinished = path.with_name(f".{path.name}.tmp")
    pl.DataFrame({"user": histories.user_ids(), **columns}).write_parquet(unfinished)
    os.replace(unfinished, path)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what Python and TensorFlow raise when a folder cannot be written into one
    line.

    Raises:
        InputError: the disk is full, or a file or folder is not to be written.
    """
    try:
        yield
        return
    except OSError as error:
        reason = error.strerror
    except tf.errors.OpError as error:
        words = [os.strerror(getattr(errno, name)) for name in _UNWRITABLE]
        told = [word for word in words if word.lower() in str(error).lower()]
        if not told:
            raise
        reason = told[0]
    raise InputError(
        f"Run directory {path} cannot be written ({reason}); mend that and repeat the "
        "command, or choose another --runs-dir."
    )


def _trained_on(run_dir: Path) -> dict[str, str]:
    """Returns the name and the fingerprint of a run's dataset."""
    with _reading(run_dir / "dataset.json") as description:
        return {key: description[key] for key in ("name", "fingerprint")}


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[dict[str, Any]]:
    """Yields the content of a JSON file of a run; what is missing in it is one line."""
    try:
        yield read_json(path)
    except (OSError, ValueError, LookupError, TypeError):
        raise InputError(f"{path} is missing or damaged.") from None


def read_config(run_dir: Path) -> Config:
    """Reads a run's config.

    Raises:
        InputError: no such run directory, or a damaged config.
    """
    path = run_dir / "config.yaml"
    if not os.path.exists(path):
        raise InputError(f"{run_dir} is no run directory: it has no config.yaml.")
    values = read_yaml(path)
    try:
        return from_flat(values)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def read_card(run_dir: Path, ensemble: Ensemble) -> dict[str, Any]:
    """Returns what an export of a finished run says of its quality: protocol and
    metrics of the ensemble, or of its one network; nothing of an unfinished one.

    Raises:
        InputError: the run's metrics are damaged.
    """
    path = run_dir / "metrics.json"
    if not path.exists():
        return {}
    with _reading(path) as metrics:
        card = {key: metrics[key] for key in ("protocol", "best_epoch")}
        by_network = metrics["test_by_network"]
        if len(ensemble.networks) == len(by_network):
            return {**card, **{key: metrics[key] for key in ("validation", "test")}}
        return {**card, "test": by_network[ensemble.networks[0].name]}


def open_run(
    run_dir: Path, overrides: dict[str, str] | None = None
) -> tuple[Config, Histories, EMKD]:
    """Opens a run: its config, its dataset and its model with the best weights.

    Args:
        run_dir: of the run.
        overrides: settings that replace the run's own, such as where the data is now.

    Raises:
        InputError: no run, no checkpoint, or a checkpoint of another dataset.
    """
    config = read_config(run_dir)
    config = from_flat({**to_flat(config), **(overrides or {})})
    histories = prepare(config.data)
    trained_on = _trained_on(run_dir)
    if trained_on["fingerprint"] != histories.fingerprint:
        raise InputError(
            f"{run_dir} was trained on `{trained_on['name']}` "
            f"{trained_on['fingerprint']}, but the data here is "
            f"`{config.data.dataset}` {histories.fingerprint}; give the same files."
        )
    model = build_model(config, histories)
    weights = tf.train.Checkpoint(networks=model.networks)
    restore(run_dir / "checkpoints" / "best", weights)
    return config, histories, model

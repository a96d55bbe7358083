"""The run directory: what a run writes down, and how a finished run is opened again."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from datetime import datetime
from pathlib import Path

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
from emkd_tf.training.build import build_model
from emkd_tf.training.checkpoints import restore_weights

_PACKAGES = ("tensorflow", "tf-keras", "tensorflow-recommenders", "numpy", "polars")


def default_name(config: Config) -> str:
    """Returns `<dataset>-<time>-seed<n>`, or the configured name."""
    now = datetime.now().strftime("%Y%m%d-%H%M%S")
    return config.run.name or f"{config.data.dataset}-{now}-seed{config.training.seed}"


def create(config: Config, name: str, histories: Histories) -> Path:
    """Makes the run directory with `config.yaml`, `environment.json` and
    `dataset.json`.

    Raises:
        InputError: the directory exists already.
    """
    run_dir = Path(config.run.runs_dir) / name
    try:
        run_dir.mkdir(parents=True)
    except FileExistsError:
        raise InputError(
            f"Run directory {run_dir} exists already; choose another --name."
        ) from None
    except OSError as error:
        raise InputError(
            f"Run directory {run_dir} cannot be made ({error.strerror}); choose "
            "another --runs-dir."
        ) from None
    text = yaml.safe_dump(to_flat(config), sort_keys=False)
    write_text(run_dir / "config.yaml", text)
    write_json(run_dir / "environment.json", _environment())
    write_json(run_dir / "dataset.json", histories.description)
    return run_dir


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


def read_config(run_dir: Path) -> Config:
    """Reads a run's config.

    Raises:
        InputError: no such run directory.
    """
    if not (run_dir / "config.yaml").exists():
        raise InputError(f"{run_dir} is no run directory: it has no config.yaml.")
    return from_flat(read_yaml(run_dir / "config.yaml"))


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
    trained_on = read_json(run_dir / "dataset.json")
    if trained_on["fingerprint"] != histories.fingerprint:
        raise InputError(
            f"{run_dir} was trained on `{trained_on['name']}` "
            f"{trained_on['fingerprint']}, but the data here is "
            f"`{config.data.dataset}` {histories.fingerprint}; give the same files."
        )
    model = build_model(config, histories)
    restore_weights(
        run_dir / "checkpoints" / "best", tf.train.Checkpoint(networks=model.networks)
    )
    return config, histories, model

"""The data of a run: kept in its directory, so that it needs no log and no cache."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from pathlib import Path

import numpy as np

from emkd_tf.atomic_files import link_or_copy, new_folder, read_json
from emkd_tf.config import Config
from emkd_tf.config.model_table import MODELS
from emkd_tf.data.download import cache_dir
from emkd_tf.data.histories import Histories
from emkd_tf.data.own_files import read_lines
from emkd_tf.data.prepare import prepare
from emkd_tf.data.shuffled import in_order
from emkd_tf.errors import DataUnavailableError, InputError
from emkd_tf.run_reading import reading
from emkd_tf.training.run_config import (
    changed_settings,
    read_config,
    same_inputs,
    unfinished_runs,
)

FOLDER = "data"
_MENTIONED_SHARE = 0.1


def keep(histories: Histories, run_dir: Path) -> None:
    """Keeps the prepared data of a run as `data/` in its directory, if it is not there.

    Its files are hard links, which take no space, where the file system has them, and
    copies elsewhere.
    """
    if (run_dir / FOLDER).exists():
        return
    with new_folder(run_dir / FOLDER) as unfinished:
        for path in histories.folder.iterdir():
            link_or_copy(path, unfinished / path.name)


def describe(histories: Histories) -> list[str]:
    """Says what was read: how much, from which columns, without which rows."""
    description = histories.description
    counts = ("users", "items", "actions", "attributes")
    amounts = ", ".join(f"{description[key]:,} {key}" for key in counts)
    lines = [f"Data: `{description['name']}`, {amounts}", *read_lines(description)]
    rows = description["dropped_rows"].items()
    if dropped := [f"{count:,} ({reason})" for reason, count in rows if count]:
        lines.append(f"Dropped rows: {', '.join(dropped)}")
    return lines


def unused(config: Config, histories: Histories) -> str | None:
    """Says what share of the actions a next-item model does not train on, if it is
    worth mentioning: those older than their users' newest L + 1."""
    reads = MODELS[config.model.model].reads
    is_masked = "task" in reads and config.objective.task == "masked_item"
    if "rows" not in reads or is_masked or config.data.rows != "shift":
        return None
    length = config.data.max_length
    starts, ends = histories.training_bounds()
    nexts = np.maximum(ends - starts - 1, 0)
    older = np.maximum(nexts - length, 0).sum()
    if older <= _MENTIONED_SHARE * nexts.sum():
        return None
    return (
        f"Rows: {older / nexts.sum():.0%} of the actions are older than the newest "
        f"{length} of their users and not trained on; --rows whole trains on them, too."
    )


def find(run_dir: Path, config: Config) -> Histories:
    """Finds the data of a run by its content: in the run, in the cache, in the files
    that it was trained on.

    Raises:
        InputError, DataUnavailableError: it is in none of them, or damaged.
    """
    fingerprint = trained_on(run_dir)[1]
    prepared = cache_dir(config.data.cache_dir) / "prepared"
    for folder in (run_dir / FOLDER, *prepared.glob(f"*-{fingerprint}")):
        if (folder / "dataset.json").exists():
            histories = same_data(run_dir, Histories.open(folder))
            return in_order(histories, config.data.history_order)
    try:
        return same_data(run_dir, prepare(config.data))
    except (InputError, DataUnavailableError) as error:
        raise type(error)(
            f"{run_dir / FOLDER} and the cache do not hold the run's data, and: {error}"
        ) from None


def of_training(config: Config) -> tuple[Config, Histories]:
    """Prepares the data of a training, or finds it in the unfinished run that it
    continues.

    The log may have moved or have another name: its content decides. If it is gone, the
    run's own data is used.

    Returns:
        The config, its dataset named as in the run, and the histories.

    Raises:
        InputError, DataUnavailableError: see `prepare`.
    """
    files = [f for f in (config.data.interactions, config.data.attributes) if f]
    is_there = bool(files) and all(os.path.exists(file) for file in files)
    for path in unfinished_runs(config):
        with contextlib.suppress(InputError, DataUnavailableError):
            old = read_config(path)
            if changed_settings(old, config):
                continue
            data = dataclasses.replace(config.data, dataset=old.data.dataset)
            own = dataclasses.replace(config, data=data)
            if is_there:
                histories = prepare(data)
            elif same_inputs(old, config):
                histories = find(path, own)
            else:
                continue
            return own, same_data(path, histories)
    return config, prepare(config.data)


def same_data(run_dir: Path, histories: Histories) -> Histories:
    """Returns the histories if the run was trained on them.

    Raises:
        InputError: it was not.
    """
    name, fingerprint = trained_on(run_dir)
    if fingerprint != histories.fingerprint:
        raise InputError(
            f"{run_dir} was trained on `{name}` {fingerprint}, but the data here is "
            f"`{histories.description['name']}` {histories.fingerprint}; give the same "
            "files."
        )
    return histories


def trained_on(run_dir: Path) -> tuple[str, str]:
    """Returns the name and the fingerprint of a run's dataset.

    Raises:
        InputError: its `dataset.json` is missing or damaged.
    """
    path = run_dir / "dataset.json"
    with reading(path):
        description = read_json(path)
        return description["name"], description["fingerprint"]

"""Prepares raw actions in a folder: k-core, dense ids, flat arrays, `dataset.json`."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from emkd_tf.atomic_files import new_folder, write_json, writes_to
from emkd_tf.config import DataConfig, nearest
from emkd_tf.data.attributes import attribute_arrays, no_item_known
from emkd_tf.data.download import cache_dir, data_dir, fetch, sha256
from emkd_tf.data.engine import Engine, in_process
from emkd_tf.data.histories import Histories
from emkd_tf.data.own_files import read_own
from emkd_tf.data.reading import require_readable
from emkd_tf.data.shuffled import in_order
from emkd_tf.data.sources import SOURCES, Interactions, Source, read_sample
from emkd_tf.data.table_folders import table_files
from emkd_tf.errors import InputError

FORMAT_VERSION = 2
# The options of DataConfig that decide the prepared arrays, besides the files.
_OPTIONS = (
    *("user_column", "item_column", "time_column", "rating_column"),
    *("attribute_item_column", "attribute_columns"),
    *("min_rating", "since", "until", "duplicates", "user_core", "item_core"),
)


@dataclasses.dataclass(frozen=True)
class _Input:
    """The input of a preparation: the sha256 of each file by role, for the fingerprint,
    and a deferred reader."""

    hashes: dict[str, str]
    read: Callable[[], Interactions]
    source: Source | None = None


def _own_input(config: DataConfig) -> _Input:
    return _Input(own_hashes(config), lambda: read_own(config))


def own_hashes(config: DataConfig) -> dict[str, str]:
    """Returns the sha256 of each file of a log of your own, by role; empty for a named
    dataset.

    Raises:
        InputError: a file cannot be read.
    """
    if config.interactions is None:
        return {}
    files = {"interactions": config.interactions, "attributes": config.attributes}
    paths = {role: Path(file) for role, file in files.items() if file is not None}
    for path in paths.values():
        require_readable(path)
    return {role: _content_hash(path) for role, path in paths.items()}


def _content_hash(path: Path) -> str:
    """Returns the sha256 of a file, or of a folder's file names and their hashes."""
    if not path.is_dir():
        return sha256(path)
    files = {str(p.relative_to(path)): sha256(p) for p in table_files(path)}
    return hashlib.sha256(json.dumps(files).encode()).hexdigest()


def _named_input(config: DataConfig, raw_dir: Path) -> _Input:
    if config.dataset == "sample":
        return _Input({}, read_sample)
    if config.dataset not in SOURCES:
        raise InputError(
            f"Unknown dataset `{config.dataset}`. "
            f"{nearest(config.dataset, ['sample', *SOURCES])} "
            "Your own log goes in with --interactions FILE."
        )
    source = SOURCES[config.dataset]
    placed = [
        (files, reader)
        for files, reader in source.variants
        if all((raw_dir / file.name).exists() for file in files)
    ]
    files, reader = placed[0] if placed else source.variants[-1]
    paths = [fetch(file, raw_dir) for file in files]
    hashes = {file.name: file.sha256 for file in files}
    return _Input(hashes, lambda: reader(*paths), source)


def fingerprint(config: DataConfig, hashes: dict[str, str]) -> str:
    """Returns a hash of every option and input that decides the prepared arrays.

    Args:
        config: the options.
        hashes: sha256 of each file by role.
    """
    options = {name: getattr(config, name) for name in _OPTIONS}
    if config.split != DataConfig.split:  # else the same as before other splits existed
        options |= {"split": config.split, "test_share": config.test_share}
    text = json.dumps([FORMAT_VERSION, config.dataset, options, hashes], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _describe(
    config: DataConfig, source: Source | None, fingerprint_: str, counts: dict[str, int]
) -> dict[str, Any]:
    users, items, actions = counts["users"], counts["items"], counts["actions"]
    pairs = actions - counts["repeats"]
    return {
        "name": config.dataset,
        "fingerprint": fingerprint_,
        **counts,
        "actions_per_user": round(actions / users, 1),
        "actions_per_item": round(actions / items, 1),
        "sparsity_percent": round(100 * (1 - pairs / (users * items)), 2),
        "published": source
        and {"users": source.users, "items": source.items, "actions": source.actions},
        "licence": source.licence if source else None,
    }


def prepare(config: DataConfig, engine: Engine = in_process) -> Histories:
    """Prepares a dataset, or opens it if it was prepared before.

    Args:
        config: dataset, paths, columns and k-core bounds.
        engine: prepares the data, by default in this process. All engines make the same
            arrays.

    Returns:
        The histories, memory-mapped from `<cache_dir>/prepared/<name>-<fingerprint>`.

    Raises:
        InputError: files, columns or rows cannot be used.
        DataUnavailableError: raw files cannot be found or downloaded.
    """
    cache = cache_dir(config.cache_dir)
    if config.interactions is not None:
        source = _own_input(config)
    else:
        source = _named_input(config, data_dir(config.data_dir, cache))
    key = fingerprint(config, source.hashes)
    folder = cache / "prepared" / f"{config.dataset}-{key}"
    if not (folder / "dataset.json").exists():
        with writes_to(folder, "--cache-dir"):
            _write(config, source, key, folder, engine)
    return in_order(Histories.open(folder), config.history_order)


def _write(
    config: DataConfig, source: _Input, key: str, folder: Path, engine: Engine
) -> None:
    with new_folder(folder) as unfinished:
        written = engine(config, source.read, unfinished)
        pairs = written.content.attributes
        offsets, values, names = attribute_arrays(pairs, written.item_ids)
        if len(pairs) and not names:
            raise no_item_known(config.dataset, pairs, written.item_ids)
        counts = {
            "users": written.users,
            "items": len(written.item_ids),
            "actions": written.actions,
            "repeats": written.repeats,
            "attributes": len(names),
            "items_with_attributes": int(np.count_nonzero(np.diff(offsets))),
        }
        np.save(unfinished / "attribute_offsets.npy", offsets)
        np.save(unfinished / "attribute_values.npy", values)
        write_json(unfinished / "attributes.json", names)
        description = _describe(config, source.source, key, counts)
        description["dropped_rows"] = written.dropped
        split = {} if written.split is None else {"split": written.split}
        write_json(
            unfinished / "dataset.json",
            {
                **description,
                **written.content.description,
                **split,
                "inputs": source.hashes,
            },
        )

"""Raw actions to a prepared folder: k-core, dense ids, flat arrays, `dataset.json`."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from emkd_tf.config import DataConfig, nearest
from emkd_tf.data import formats
from emkd_tf.data.attributes import attribute_arrays
from emkd_tf.data.cleaning import clean, encode
from emkd_tf.data.download import cache_dir, data_dir, fetch, sha256
from emkd_tf.data.histories import Histories
from emkd_tf.data.sources import SOURCES, Interactions, Source, read_sample
from emkd_tf.data.tables import require_file
from emkd_tf.errors import InputError
from emkd_tf.files import new_folder, write_json, write_text

FORMAT_VERSION = 1


@dataclasses.dataclass(frozen=True)
class _Input:
    """What goes into a preparation: hashes for the fingerprint and a deferred
    reader."""

    hashes: dict[str, str]
    read: Callable[[], Interactions]
    source: Source | None = None


def _own_input(config: DataConfig) -> _Input:
    interactions = Path(config.interactions)
    attributes = Path(config.attributes) if config.attributes else None
    for path in (interactions, attributes):
        if path is not None:
            require_file(path)

    def read() -> Interactions:
        return Interactions(
            formats.read_interactions(
                interactions, config.user_column, config.item_column, config.time_column
            ),
            formats.read_attributes(attributes, config.item_column)
            if attributes
            else pl.DataFrame(schema={"item": pl.String, "attribute": pl.String}),
        )

    hashes = {p.name: sha256(p) for p in (interactions, attributes) if p is not None}
    return _Input(hashes, read)


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
    """Returns a hash of every option and input that decides the prepared arrays."""
    options = [
        config.min_user_actions,
        config.min_item_actions,
        config.user_column,
        config.item_column,
        config.time_column,
    ]
    text = json.dumps([FORMAT_VERSION, config.dataset, options, hashes], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _describe(
    config: DataConfig, source: Source | None, fingerprint_: str, counts: dict[str, int]
) -> dict[str, Any]:
    users, items, actions = counts["users"], counts["items"], counts["actions"]
    return {
        "name": config.dataset,
        "fingerprint": fingerprint_,
        **counts,
        "actions_per_user": round(actions / users, 1),
        "actions_per_item": round(actions / items, 1),
        "sparsity_percent": round(100 * (1 - actions / (users * items)), 2),
        "published": source
        and {"users": source.users, "items": source.items, "actions": source.actions},
        "licence": source.licence if source else None,
    }


def prepare(config: DataConfig) -> Histories:
    """Prepares a dataset, or opens it if it was prepared before.

    Args:
        config: dataset, paths, columns and k-core bounds.

    Returns:
        The histories, memory-mapped from `<cache_dir>/prepared/<name>-<fingerprint>`.

    Raises:
        InputError: files, columns or rows that cannot be used.
        DataUnavailableError: raw files that cannot be had.
    """
    cache = cache_dir(config.cache_dir)
    if config.interactions is not None:
        source = _own_input(config)
    else:
        source = _named_input(config, data_dir(config.data_dir, cache))
    key = fingerprint(config, source.hashes)
    folder = cache / "prepared" / f"{config.dataset}-{key}"
    if not (folder / "dataset.json").exists():
        try:
            _write(config, source, key, folder)
        except OSError as error:
            raise InputError(
                f"{folder} cannot be written ({error.strerror}); choose another "
                "--cache-dir."
            ) from None
    return Histories.open(folder)


def _write(config: DataConfig, source: _Input, key: str, folder: Path) -> None:
    raw = source.read()
    actions, dropped = clean(
        encode(raw.actions.lazy()), config.min_user_actions, config.min_item_actions
    )
    if not len(actions):
        raise InputError(
            f"No user of `{config.dataset}` is left: dropped rows were {dropped}; "
            "lower --min-user-actions or --min-item-actions, or give more data."
        )
    user_ids, item_ids = actions.user_ids.to_list(), actions.item_ids.to_list()
    lengths = np.bincount(actions.users)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    attribute_offsets, attribute_values, attribute_names = attribute_arrays(
        raw.attributes, item_ids
    )
    if len(raw.attributes) and not attribute_names:
        raise InputError(
            f"No item of the attributes is an item of `{config.dataset}`; write the "
            "ids the same way in both files."
        )
    counts = {
        "users": len(user_ids),
        "items": len(item_ids),
        "actions": len(actions),
        "attributes": len(attribute_names),
    }
    with new_folder(folder) as unfinished:
        np.save(unfinished / "items.npy", actions.items + np.int32(1))
        np.save(unfinished / "offsets.npy", offsets)
        np.save(unfinished / "attribute_offsets.npy", attribute_offsets)
        np.save(unfinished / "attribute_values.npy", attribute_values)
        write_text(unfinished / "item_ids.txt", "".join(f"{i}\n" for i in item_ids))
        write_text(unfinished / "user_ids.txt", "".join(f"{i}\n" for i in user_ids))
        write_json(unfinished / "attributes.json", attribute_names)
        description = _describe(config, source.source, key, counts)
        write_json(
            unfinished / "dataset.json",
            {**description, "dropped_rows": dropped, "inputs": source.hashes},
        )

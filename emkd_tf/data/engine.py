"""Turns a log into the arrays of its histories: the in-process engine, and what all
engines have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from emkd_tf.atomic_files import write_text
from emkd_tf.config import DataConfig
from emkd_tf.data.cleaning import K_CORE, TOO_FEW, clean, count_repeats, encode
from emkd_tf.data.columns import LIST_NAMES, usual_column
from emkd_tf.data.sources import Interactions
from emkd_tf.data.splits import before_cuts, make_split
from emkd_tf.errors import InputError


@dataclasses.dataclass(frozen=True)
class Written:
    """What an engine wrote to a folder (`items.npy`, `offsets.npy`, `item_ids.txt`,
    `user_ids.txt`, and `split.npy` unless the split is leave-one-out) and what it read.

    Attributes:
        users, actions, repeats: counts.
        item_ids: [V], the raw ids of items 1..V.
        dropped: rows that were left out, by reason.
        content: of the files; its attributes and description are used.
        split: the summary of the split, if it is not leave-one-out.
    """

    users: int
    actions: int
    repeats: int
    item_ids: pl.Series
    dropped: dict[str, int]
    content: Interactions
    split: dict[str, Any] | None


# Reads, cleans and writes the actions of a config into a folder.
Engine = Callable[[DataConfig, Callable[[], Interactions], Path], Written]


def in_process(
    config: DataConfig, read: Callable[[], Interactions], folder: Path
) -> Written:
    content = read()
    actions, dropped = clean(
        encode(content.actions),
        config.user_core,
        config.item_core,
        config.duplicates,
    )
    dropped = {**content.dropped, **dropped}
    if not len(actions):
        columns = content.description.get("columns", {})
        raise nothing_left(config, dropped, columns)
    offsets = np.append(0, np.cumsum(np.bincount(actions.users))).astype(np.int64)
    before = None
    if is_global(config, has_times=content.has_times):
        before = before_cuts(actions.times, offsets, config.test_share)
    np.save(folder / "items.npy", actions.items + np.int32(1))
    np.save(folder / "offsets.npy", offsets)
    for name, ids in (("item", actions.item_ids), ("user", actions.user_ids)):
        write_text(folder / f"{name}_ids.txt", "".join(f"{i}\n" for i in ids))
    return Written(
        users=len(actions.user_ids),
        actions=len(actions),
        repeats=count_repeats(actions),
        item_ids=actions.item_ids,
        dropped=dropped,
        content=content,
        split=write_split(config, folder, offsets, before),
    )


def nothing_left(
    config: DataConfig, dropped: dict[str, int], columns: dict[str, str]
) -> InputError:
    """Returns the error for a log of which everything is dropped.

    Args:
        config: of the log.
        dropped: rows by reason.
        columns: the log's columns by role.
    """
    why = ", ".join(f"{rows:,} ({what})" for what, rows in dropped.items() if rows)
    how = "correct what drops them"
    if any(dropped.get(what) for what in (K_CORE, TOO_FEW)):
        how = "lower --user-core or --item-core"
        if usual_column([columns.get("item", "")], LIST_NAMES):
            how = (
                f"if {columns['item']!r} holds several items as one text, write lists "
                f"as Parquet or JSON, or a row an action; {how}"
            )
    return InputError(
        f"No user of `{config.dataset}` is left: dropped rows were {why or 0}; "
        f"{how}, or give more data."
    )


def is_global(config: DataConfig, *, has_times: bool) -> bool:
    """Returns whether a config's split cuts at times.

    Raises:
        InputError: it does, but there are no times.
    """
    if config.split == "global_time" and not has_times:
        raise InputError(
            f"`split` global_time needs times, but `{config.dataset}` has none; "
            "choose another --split, or give a log with a column of times."
        )
    return config.split == "global_time"


def write_split(
    config: DataConfig, folder: Path, offsets: np.ndarray, before: np.ndarray | None
) -> dict[str, Any] | None:
    """Writes the split, if it is not leave-one-out, and returns its summary.

    Args:
        config: with the split and its share.
        folder: to write to.
        offsets: [users + 1] int64 bounds of the users.
        before: [2, users] int64, see `before_cuts`; None if the split is not global.
    """
    if config.split == DataConfig.split:
        return None
    split, summary = make_split(config.split, config.test_share, offsets, before)
    np.save(folder / "split.npy", split.to_array())
    return summary

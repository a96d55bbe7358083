"""Facts about users' targets besides their ranks, and the file with both."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import polars as pl

from emkd_tf.data.histories import Histories
from emkd_tf.evaluation.metrics import NEVER, summarize

_ACTIONS_AT_ONCE = 1_000_000


@dataclasses.dataclass(frozen=True)
class Targets:
    """The held-out items of a split, one entry per evaluated user.

    Attributes:
        items: [n] int32 item ids.
        is_repeat: [n] bool, the item is already in the history before it.
        history_lengths: [n] int64, number of actions before it.
        training_counts: [n] int64, how often the item occurs in the training parts of
            all histories.
    """

    items: np.ndarray
    is_repeat: np.ndarray
    history_lengths: np.ndarray
    training_counts: np.ndarray


def targets_of(histories: Histories, split: str) -> Targets:
    """Returns the targets of a split, "validation" or "test"."""
    items = np.asarray(histories.targets(split))
    lengths, users = histories.known_lengths(split), histories.evaluated(split)
    of_users = np.zeros((2, histories.num_users), np.int64)
    of_users[:, users] = items, lengths
    return Targets(
        items,
        _is_repeat(histories, *of_users)[users],
        lengths,
        histories.training_item_counts()[items - 1],
    )


def _is_repeat(
    histories: Histories, targets: np.ndarray, lengths: np.ndarray
) -> np.ndarray:
    """Looks for the targets among the items before them, many users at a time."""
    is_repeat = np.zeros(len(targets), bool)
    for users in histories.user_pieces(_ACTIONS_AT_ONCE):
        bounds = histories.offsets[users[0] : users[-1] + 2]
        items, starts = histories.items[bounds[0] : bounds[-1]], bounds[:-1] - bounds[0]
        of_action = np.repeat(np.arange(len(users)), np.diff(bounds))
        is_before = np.arange(len(items)) < (starts + lengths[users])[of_action]
        is_found = is_before & (items == targets[users][of_action])
        is_repeat[users] = np.logical_or.reduceat(is_found, starts)
    return is_repeat


def summarize_repeats(ranks: np.ndarray, targets: Targets) -> dict[str, object]:
    """Summarizes targets that are repeats and all others separately.

    Args:
        ranks: [n] int, under one protocol.
        targets: of the same split.

    Returns:
        "targets": how many there are, "repeats": how many are repeats, "excluded": how
        many cannot be in any list; if there are repeats, the metrics of "repeat" and of
        "new" targets.
    """
    is_repeat = targets.is_repeat
    found: dict[str, object] = {
        "targets": len(ranks),
        "repeats": int(is_repeat.sum()),
        "excluded": int((ranks == NEVER).sum()),
    }
    if is_repeat.any():
        found["repeat"] = summarize(ranks[is_repeat])
    if is_repeat.any() and not is_repeat.all():
        found["new"] = summarize(ranks[~is_repeat])
    return found


def write_per_user(
    path: Path,
    histories: Histories,
    targets: dict[str, Targets],
    ranks: dict[str, dict[str, np.ndarray]],
) -> None:
    """Writes `per_user.parquet`, one row per user; null if a split does not evaluate
    the user.

    Its columns are `user` (text id) and for each split `{split}_target` (text id),
    `{split}_is_repeat`, `{split}_history_length`, `{split}_target_count` (see
    `Targets`) and the rank under each protocol, `{split}_unseen` and so on: from 1, or
    NEVER (2147483647) if the protocol excludes the target.

    Args:
        path: the file.
        histories: of all users.
        targets: by split.
        ranks: [n] int by split and protocol.
    """
    names = pl.Series(histories.item_ids(), dtype=pl.String)
    frame = pl.DataFrame({"user": histories.user_ids()}).with_row_index("number")
    for split, of_split in targets.items():
        columns = {
            "target": names.gather(of_split.items - 1),
            "is_repeat": of_split.is_repeat,
            "history_length": of_split.history_lengths,
            "target_count": of_split.training_counts,
            **ranks[split],
        }
        own = pl.DataFrame({f"{split}_{name}": of for name, of in columns.items()})
        users = pl.Series("number", histories.evaluated(split), pl.UInt32)
        own = own.with_columns(users)
        frame = frame.join(own, on="number", how="left", maintain_order="left")
    unfinished = path.with_name(f".{path.name}.tmp")
    frame.drop("number").write_parquet(unfinished)
    os.replace(unfinished, path)

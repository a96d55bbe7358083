"""Actions as numbers: duplicates, k-core and order, in memory of a few arrays.

A log of text ids is read twice in a streaming pass (who is there, and what is whose);
from then on an action is two numbers and a time.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl

MIN_ACTIONS = 3  # one to train on, one to validate on, one to test on


@dataclasses.dataclass(frozen=True)
class Actions:
    """Actions in the file's order.

    Attributes:
        users, items: [n] int32 places in `user_ids` and `item_ids`.
        times: [n] int64 or float64.
        user_ids, item_ids: the raw ids.
    """

    users: np.ndarray
    items: np.ndarray
    times: np.ndarray
    user_ids: pl.Series
    item_ids: pl.Series

    def __len__(self) -> int:
        return len(self.users)

    def filter(self, is_kept: np.ndarray) -> Actions:
        """Keeps some actions, and all ids."""
        return dataclasses.replace(
            self,
            users=self.users[is_kept],
            items=self.items[is_kept],
            times=self.times[is_kept],
        )


def encode(log: pl.LazyFrame) -> Actions:
    """Reads columns user, item (strings) and time (number) as numbers."""
    rows = log.with_row_index("row")

    def numbered(name: str) -> pl.DataFrame:
        values = rows.select(name).unique().collect(engine="streaming")
        return values.with_row_index(f"{name}_number")

    users, items = numbered("user"), numbered("item")
    coded = (
        rows.join(users.lazy(), on="user")
        .join(items.lazy(), on="item")
        .select("row", "user_number", "item_number", "time")
        .collect(engine="streaming")
    )
    # The joins give the rows in any order.
    order = coded["row"].to_numpy()

    def in_order(name: str, dtype: type | np.dtype) -> np.ndarray:
        column = coded.get_column(name).to_numpy()
        placed = np.empty(len(column), dtype)
        placed[order] = column
        return placed

    return Actions(
        users=in_order("user_number", np.int32),
        items=in_order("item_number", np.int32),
        times=in_order("time", coded["time"].to_numpy().dtype),
        user_ids=users["user"],
        item_ids=items["item"],
    )


def is_first(actions: Actions) -> np.ndarray:
    """Returns [n] bool: not a duplicate of an earlier action."""
    keys = (actions.items, actions.times, actions.users)
    order = np.lexsort(keys)  # stable: the earliest of equals comes first
    is_new = np.ones(len(actions), bool)
    if len(actions):
        is_new[1:] = np.any([key[order[1:]] != key[order[:-1]] for key in keys], axis=0)
    found = np.empty(len(actions), bool)
    found[order] = is_new
    return found


def k_core(actions: Actions, min_user: int, min_item: int) -> Actions:
    """Drops users and items with too few actions until none is left to drop."""
    while True:
        of_user, of_item = np.bincount(actions.users), np.bincount(actions.items)
        is_kept = of_user[actions.users] >= min_user
        is_kept &= of_item[actions.items] >= min_item
        if is_kept.all():
            return actions
        actions = actions.filter(is_kept)


def clean(
    actions: Actions, min_user: int, min_item: int
) -> tuple[Actions, dict[str, int]]:
    """Drops actions that cannot be used, orders the rest and numbers it anew.

    Args:
        actions: in the file's order.
        min_user, min_item: k-core bounds.

    Returns:
        Actions grouped by user in order of first appearance, in time order (stable on
        ties), users and items numbered by first appearance; and the number of dropped
        rows by reason.
    """
    unique = actions.filter(is_first(actions))
    core = k_core(unique, min_user, min_item)
    kept = core.filter(np.bincount(core.users)[core.users] >= MIN_ACTIONS)
    dropped = {
        "duplicate rows": len(actions) - len(unique),
        "k-core": len(unique) - len(core),
        f"users with fewer than {MIN_ACTIONS} actions": len(core) - len(kept),
    }
    users, user_ids = _by_first_appearance(kept.users, kept.user_ids)
    order = np.lexsort((kept.times, users))
    items, item_ids = _by_first_appearance(kept.items[order], kept.item_ids)
    ordered = Actions(users[order], items, kept.times[order], user_ids, item_ids)
    return ordered, dropped


def _by_first_appearance(
    numbers: np.ndarray, ids: pl.Series
) -> tuple[np.ndarray, pl.Series]:
    """Numbers values from 0 by first appearance, and drops ids that do not appear."""
    first = np.full(len(ids), len(numbers), np.int64)
    first[numbers[::-1]] = np.arange(len(numbers) - 1, -1, -1)
    present = np.flatnonzero(first < len(numbers))
    present = present[np.argsort(first[present])]
    renumbered = np.empty(len(ids), np.int32)
    renumbered[present] = np.arange(len(present), dtype=np.int32)
    return renumbered[numbers], ids[present]

"""Cleans actions as numbers (duplicates, k-core, order) in the memory of a few arrays.

A log of text ids is read in streaming passes: first which users and items there are,
then the actions. From then on an action is two numbers and a time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import polars as pl

_SORTED_AT_ONCE = 10_000_000
MIN_ACTIONS = 3  # one to train on, one to validate on, one to test on
# Why an action is dropped, in this order.
DUPLICATES, REPEATS, K_CORE = "duplicate rows", "repeats", "k-core"
TOO_FEW = f"users with fewer than {MIN_ACTIONS} actions"


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

    def filter(self, kept: np.ndarray) -> Actions:
        """Keeps some actions, given as a mask or as ordered indices, and all ids."""
        return dataclasses.replace(
            self,
            users=self.users[kept],
            items=self.items[kept],
            times=self.times[kept],
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
    # The joins return rows in any order.
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


def order_in_time(actions: Actions) -> np.ndarray:
    """Returns [n] int64: the actions by user and time, in the file's order on ties."""
    users, times = actions.users, actions.times
    if len(actions) and times.dtype == np.int64:
        first = times.min()
        span = int(times.max()) - int(first) + 1
        if span * (int(users.max()) + 1) < 2**63:  # one key sorts twice as fast as two
            return np.argsort(
                users.astype(np.int64) * span + (times - first), kind="stable"
            )
    return np.lexsort((times, users))


def in_ties(users: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Returns [n] bool: the user has another action at the same time.

    Args:
        users, times: [n] of actions ordered by user and time, see `order_in_time`.
    """
    is_tie = (users[1:] == users[:-1]) & (times[1:] == times[:-1])
    found = np.zeros(len(users), bool)
    found[1:] |= is_tie
    found[:-1] |= is_tie
    return found


def is_first(actions: Actions) -> np.ndarray:
    """Returns [n] bool: not a duplicate of an earlier action."""
    found = np.ones(len(actions), bool)
    order = order_in_time(actions)
    users, times = actions.users[order], actions.times[order]
    tied = in_ties(users, times)
    order, users, times = order[tied], users[tied], times[tied]
    items = actions.items[order]
    by_item = np.lexsort((items, times, users))  # stable: the earliest comes first
    keys = [key[by_item] for key in (items, times, users)]
    is_same = np.all([key[1:] == key[:-1] for key in keys], axis=0)
    found[order[by_item][1:][is_same]] = False
    return found


def k_core(actions: Actions, min_user: int, min_item: int) -> Actions:
    """Drops users and items with too few actions until all have enough."""
    while True:
        of_user, of_item = np.bincount(actions.users), np.bincount(actions.items)
        is_kept = of_user[actions.users] >= min_user
        is_kept &= of_item[actions.items] >= min_item
        if is_kept.all():
            return actions
        actions = actions.filter(is_kept)


def is_repeat(actions: Actions, *, consecutive: bool) -> np.ndarray:
    """Returns [n] bool: the user has acted on the item before, in time order; if
    `consecutive`, only the directly preceding action counts."""
    order = order_in_time(actions)
    users, items = actions.users[order], actions.items[order]
    if not consecutive:
        by_pair = np.lexsort((items, users))  # stable: the earliest comes first
        order, users, items = order[by_pair], users[by_pair], items[by_pair]
    found = np.zeros(len(actions), bool)
    is_same = (users[1:] == users[:-1]) & (items[1:] == items[:-1])
    found[order[1:]] = is_same
    return found


def steps(
    actions: Actions, min_user: int, min_item: int, duplicates: str = "keep"
) -> Iterator[tuple[str, np.ndarray, Actions]]:
    """Drops actions that cannot be used, reason by reason.

    Args:
        actions: in the file's order.
        min_user, min_item: k-core bounds.
        duplicates: whether to keep all repeated actions of a user on an item, drop all
            but the first, or drop only consecutive ones. Equal rows always count as one
            action.

    Yields:
        The reason; [n] bool, which of the previous actions are kept; and the kept ones.
    """
    is_kept = is_first(actions)
    actions = actions.filter(is_kept)
    yield DUPLICATES, is_kept, actions
    if duplicates != "keep":
        is_kept = ~is_repeat(actions, consecutive=duplicates == "consecutive")
        actions = actions.filter(is_kept)
        yield REPEATS, is_kept, actions
    core = k_core(actions, min_user, min_item)
    is_kept = _are_in(core.users, actions.users) & _are_in(core.items, actions.items)
    yield K_CORE, is_kept, core
    is_kept = np.bincount(core.users)[core.users] >= MIN_ACTIONS
    yield TOO_FEW, is_kept, core.filter(is_kept)


def _are_in(some: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Returns [n] bool: the number is among `some`."""
    is_there = np.zeros(int(numbers.max(initial=-1)) + 1, bool)
    is_there[some] = True
    return is_there[numbers]


def clean(
    actions: Actions, min_user: int, min_item: int, duplicates: str = "keep"
) -> tuple[Actions, dict[str, int]]:
    """Drops actions that cannot be used (see `steps`), orders and renumbers the rest.

    Returns:
        Actions grouped by user in order of first appearance, in time order (stable on
        ties), users and items numbered by first appearance; and the number of dropped
        rows by reason.
    """
    dropped, kept = {}, actions
    for reason, is_kept, left in steps(actions, min_user, min_item, duplicates):
        kept = left
        dropped[reason] = len(is_kept) - int(np.count_nonzero(is_kept))
    users, user_ids = _by_first_appearance(kept.users, kept.user_ids)
    kept = dataclasses.replace(kept, users=users)
    order = order_in_time(kept)
    items, item_ids = _by_first_appearance(kept.items[order], kept.item_ids)
    ordered = Actions(users[order], items, kept.times[order], user_ids, item_ids)
    return ordered, dropped


def count_repeats(actions: Actions) -> int:
    """Returns how many actions are on an item that the user has acted on before.

    Args:
        actions: grouped by user, as `clean` returns them.
    """
    distinct = first = 0
    while first < len(actions):
        # A few whole users at a time: sorting makes a copy in 64 bits.
        last = min(first + _SORTED_AT_ONCE, len(actions)) - 1
        end = np.searchsorted(actions.users, actions.users[last], "right")
        pairs = actions.users[first:end].astype(np.int64) * len(actions.item_ids)
        pairs += actions.items[first:end]
        pairs.sort()
        distinct += 1 + np.count_nonzero(np.diff(pairs))
        first = end
    return len(actions) - int(distinct)


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

"""A few test users: what they did, what each run recommends, and what came next."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from emkd_tf.data.histories import Histories
from emkd_tf.special_ids import PAD_ID

_SHOWN = 8  # newest items of a history


@dataclasses.dataclass(frozen=True)
class Item:
    """An item in a list.

    Attributes:
        id: as it is written in the log.
        title: "" if unknown.
        is_hit: it is what the user chose next.
    """

    id: str
    title: str
    is_hit: bool = False


@dataclasses.dataclass(frozen=True)
class Example:
    """A test user.

    Attributes:
        user: id.
        history: the newest items, oldest first.
        earlier: how many items lie before them.
        target: what the user chose next.
        lists: of each run by its name, best first.
    """

    user: str
    history: list[Item]
    earlier: int
    target: Item
    lists: dict[str, list[Item]]


def choose(
    lists: Mapping[str, np.ndarray],
    histories: Histories,
    titles: Mapping[str, str],
    number: int,
    seed: int = 0,
) -> list[Example]:
    """Chooses test users at random, half of them with a hit of the first run, if there
    are enough.

    Args:
        lists: [n, k] int32 item ids by run.
        histories: of all users.
        titles: by item id.
        number: of users.
        seed: equal seeds choose equal users.
    """
    targets = np.asarray(histories.targets("test"))
    first = next(iter(lists.values()))
    is_hit = (first == targets[:, np.newaxis]).any(axis=1)
    order = np.random.default_rng(seed).permutation(len(targets))
    hits = order[is_hit[order]][: number // 2]
    misses = order[~is_hit[order]][: number - len(hits)]
    users, names = histories.user_ids(), histories.item_ids()

    def item(number: int, target: int = PAD_ID) -> Item:
        name = names[number - 1]
        return Item(name, titles.get(name, ""), number == target)

    found = []
    for row in (*hits, *misses):
        user, target = histories.evaluated("test")[row], int(targets[row])
        history = histories.before_target("test", np.array([user]))[0]
        by_run = {
            run: [item(int(i), target) for i in of_run[row] if i != PAD_ID]
            for run, of_run in lists.items()
        }
        found.append(
            Example(
                users[user],
                [item(int(i)) for i in history[-_SHOWN:]],
                max(0, len(history) - _SHOWN),
                item(target),
                by_run,
            )
        )
    return found

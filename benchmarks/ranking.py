"""A log of one line per user, its targets, and the metrics of lists, with numpy only.

One piece of code, part of none of the libraries, computes the metrics of every
library's lists (`peers.py`, `frontier.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

K = 10  # of the lists


class Part(NamedTuple):
    """What is known about each user, and what comes next; leave-one-out."""

    users: list[str]
    histories: list[list[str]]
    targets: list[str]


def read_log(path: Path) -> dict[str, list[str]]:
    """Reads `user item item ...`, oldest item first."""
    lines = (line.split() for line in path.read_text().splitlines())
    return {user: items for user, *items in lines}


def held_out(log: dict[str, list[str]], from_end: int) -> Part:
    """Returns the part whose targets are the items at place `from_end` from the end: 1
    for test, 2 for validation."""
    long_enough = {user: items for user, items in log.items() if len(items) > 2}
    return Part(
        list(long_enough),
        [items[:-from_end] for items in long_enough.values()],
        [items[-from_end] for items in long_enough.values()],
    )


def metrics(lists: Sequence[Sequence[str]], targets: Sequence[str]) -> dict[str, float]:
    """Returns HR@10 and NDCG@10 of lists sorted best first; a target that is not in its
    list is a miss, even if the model has never seen it."""
    places = np.array(
        [
            list(items[:K]).index(target) if target in items[:K] else np.inf
            for items, target in zip(lists, targets, strict=True)
        ]
    )
    gains = np.where(places < K, 1 / np.log2(places + 2), 0.0)
    return {"HR@10": float(np.mean(places < K)), "NDCG@10": float(gains.mean())}

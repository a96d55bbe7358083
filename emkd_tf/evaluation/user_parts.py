"""Divides users into parts with metrics of their own: by the length of the history, by
the popularity of the target, by whether the target is a repeat."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

Parts = dict[str, np.ndarray]
_LENGTHS = (5, 10, 20, 50, 100, 200)
_THIRDS = ("tail", "middle", "head")


def by_history_length(lengths: np.ndarray) -> Parts:
    """Divides users by the number of their known actions.

    Args:
        lengths: [users] int.

    Returns:
        [users] bool by part, such as "6-10"; parts without users are left out.
    """
    return _between(lengths, _LENGTHS, [""] * (len(_LENGTHS) + 1))


def popularity_bounds(target_counts: np.ndarray) -> list[int]:
    """Returns the largest counts of the tail and of the middle, such that about a third
    of the users have their target in each part.

    Args:
        target_counts: [users] int, how often each user's target is in the training
            data.
    """
    bounds = np.quantile(target_counts, [1 / 3, 2 / 3], method="inverted_cdf")
    return bounds.tolist()


def by_popularity(target_counts: np.ndarray) -> Parts:
    """Divides users into thirds by how often their target is in the training data;
    users with equally popular targets stay together.

    Args:
        target_counts: [users] int.

    Returns:
        [users] bool by part: "tail up to 7", "middle 8-25", "head over 25".
    """
    return by_bounds(target_counts, popularity_bounds(target_counts))


def by_bounds(counts: np.ndarray, bounds: Sequence[int]) -> Parts:
    """Divides any items at the bounds for users' targets.

    Args:
        counts: [n] int, how often each item is in the training data.
        bounds: from `popularity_bounds`.
    """
    return _between(counts, bounds, [f"{name} " for name in _THIRDS])


def by_repetition(is_repeat: np.ndarray) -> Parts:
    """Divides users by whether their target is already in their history.

    Args:
        is_repeat: [users] bool.
    """
    parts = {"new": ~is_repeat, "in the history": is_repeat}
    return {name: is_part for name, is_part in parts.items() if is_part.any()}


def _between(values: np.ndarray, bounds: Sequence[int], names: Sequence[str]) -> Parts:
    """Divides values at bounds, each of which is the largest value of its part."""
    ranges = [
        f"up to {bounds[0]}",
        *(f"{low + 1}-{high}" for low, high in itertools.pairwise(bounds)),
        f"over {bounds[-1]}",
    ]
    place = np.searchsorted(bounds, values)
    return {
        name + of_part: place == at
        for at, (name, of_part) in enumerate(zip(names, ranges, strict=True))
        if (place == at).any()
    }

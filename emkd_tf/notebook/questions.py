"""Checks what a notebook asks of a run, and warns of ids that are unknown."""

from __future__ import annotations

import numbers
import os
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emkd_tf.atomic_files import writes_to
from emkd_tf.config.rules import require
from emkd_tf.errors import InputError

if TYPE_CHECKING:
    from emkd_tf.retrieval.recommend import Recommendations


def as_histories(histories: Any) -> list[list[str]]:
    """Returns histories as lists of raw ids.

    Raises:
        InputError: they are something else, such as one list of ids, or a table.
    """
    if not isinstance(histories, Iterable):
        raise InputError(
            "`histories` must be lists of item ids, one list a history, got "
            f"{type(histories).__name__}."
        )
    # A text would give its letters as ids, a table its columns as histories.
    if isinstance(histories, (str, bytes)) or hasattr(histories, "columns"):
        histories = [histories]
    found = []
    for one in histories:
        is_list = isinstance(one, Iterable) and not isinstance(one, (str, bytes))
        if not is_list or hasattr(one, "columns"):
            raise InputError(
                "`histories` must be lists of item ids, one list a history, got "
                f"{type(one).__name__} for a history."
            )
        found.append([_as_id(item) for item in one])
    return found


def _as_id(item: Any) -> str:
    """Returns an id as logs have it: 17 in a float column is `17`."""
    is_whole = isinstance(item, float) and item.is_integer()
    return str(int(item)) if is_whole else str(item)


def require_k(k: Any) -> int:
    """Returns a number of items.

    Raises:
        InputError: it is not a whole number, or below 1.
    """
    is_whole = isinstance(k, numbers.Integral) and not isinstance(k, bool)
    require(is_whole, "k", "a whole number", k)
    require(k >= 1, "k", "at least 1", k)
    return int(k)


def made_folder(folder: str | Path) -> Path:
    """Returns a folder to write to, made if it does not exist.

    Raises:
        InputError: it is not a path, or cannot be made.
    """
    if not isinstance(folder, (str, os.PathLike)):
        raise InputError(f"`folder` must be a path, got {type(folder).__name__}.")
    path = Path(folder)
    with writes_to(path, "`folder`"):
        path.mkdir(parents=True, exist_ok=True)
    return path


def warn_of_unknown(answer: Recommendations) -> None:
    """Warns of ids that are not in the training data."""
    unknown = [item for of_history in answer.unknown for item in of_history]
    if not unknown:
        return
    without = int(answer.is_popular.sum())
    popular = f"; {without} histories have no other, and get popular items"
    warnings.warn(
        f"{len(unknown)} ids are not in the training data and were left out, such as "
        f"{unknown[0]!r}{popular if without else ''}.",
        stacklevel=3,
    )

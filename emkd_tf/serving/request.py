"""What clients send: histories as lists of texts, padded or joined."""

from __future__ import annotations

import numbers
import reprlib
from collections.abc import Iterable
from typing import Any

from emkd_tf.errors import InputError

_LONGEST_SECONDS = 1e9  # gRPC's clock ends in 2262


def require_length(k: Any) -> None:
    """Refuses what is not a length of a list."""
    if not isinstance(k, numbers.Integral) or k < 1:
        raise InputError(f"`k` must be a whole number, at least 1, got {_shown(k)}.")


def require_seconds(timeout_seconds: Any) -> None:
    """Refuses a time that no call can wait for."""
    is_number = isinstance(timeout_seconds, numbers.Real)
    if not is_number or not 0 < timeout_seconds <= _LONGEST_SECONDS:
        raise InputError(
            f"`timeout_seconds` must be above 0 and at most {_LONGEST_SECONDS:g}, got "
            f"{_shown(timeout_seconds)}."
        )


def lists_of_ids(histories: Any) -> list[list[str]]:
    """Returns histories, which may be arrays or tuples, as lists of texts.

    Raises:
        InputError: they are something else.
    """
    rule = "`histories` must be lists of item ids as text, one list a history; "
    rows = _as_list(histories)
    if rows is None:
        raise InputError(f"{rule}got {_shown(histories)}.")
    found = []
    for number, history in enumerate(rows):
        item_ids = _as_list(history)
        if item_ids is None:
            raise InputError(f"{rule}history {number} holds {_shown(history)}.")
        if wrong := [item for item in item_ids if not _is_text(item)]:
            raise InputError(f"{rule}history {number} holds {_shown(wrong[0])}.")
        found.append(item_ids)
    return found


def _as_list(values: Any) -> list | None:
    """Returns None for what is not a list, including texts."""
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        return None
    try:
        return list(values)
    except TypeError:  # an array without dimensions
        return None


def _is_text(value: Any) -> bool:
    """Whether a value can be sent as text; half of a surrogate pair cannot."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: Any) -> str:
    """Returns the start of a value, as one line."""
    return " ".join(reprlib.repr(value).split())


def padded(histories: list[list[str]]) -> list[list[str]]:
    """Returns [B, width], padded in front with ""."""
    width = max(1, *map(len, histories))
    return [[""] * (width - len(row)) + row for row in histories]


def joined(histories: list[list[str]], separator: str) -> list[str]:
    """Returns [B]; an id that contains the separator would be taken for two."""
    split = [i for row in histories for i in row if separator in i]
    if split:
        raise InputError(
            f"Item id {split[0]!r} holds the separator {separator!r}, so no item of "
            "the model has it: leave it out."
        )
    return [separator.join(row) for row in histories]

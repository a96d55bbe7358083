"""A notebook's settings, as the command line takes them."""

from __future__ import annotations

import datetime
import numbers
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from emkd_tf.config import KEYS
from emkd_tf.config.flags import as_flags
from emkd_tf.config.flat import closest
from emkd_tf.errors import InputError

_OF_DATA = {key for key, section in KEYS.items() if section == "data"}
_KNOWN = {
    "prepare": ("the data", _OF_DATA),
    "train": ("a training", {*KEYS, "preset", "config"}),
}
_SINGLE = (str, os.PathLike, bool, np.bool_, numbers.Real, datetime.date)
_REPEATED = "config"  # one flag per value; other settings join values with commas


def known_ones(settings: Mapping[str, Any], command: str) -> dict[str, Any]:
    """Returns settings by their names, which may be written with dashes.

    Args:
        settings: those given.
        command: "prepare", for data settings only, or "train".

    Raises:
        InputError: a name is unknown; says the nearest known one.
    """
    of, known = _KNOWN[command]
    named = {name.replace("-", "_"): value for name, value in settings.items()}
    for name in named:
        if name not in known:
            close = closest(name, sorted(known))
            help_ = f"`emkd {command} --help all` lists all."
            hint = f"Did you mean `{close}`?" if close else help_
            raise InputError(f"`{name}` is not a setting of {of}. {hint}")
    return named


def as_arguments(settings: Mapping[str, Any]) -> list[str]:
    """Returns settings as arguments of a command; None values are left out.

    Raises:
        InputError: one is not a text, path, number, date or bool, or a list of them.
    """
    arguments = []
    for name, value in settings.items():
        values = list(value) if isinstance(value, (list, tuple)) else [value]
        if value is not None:
            values = [_as_single(name, each) for each in values]
        if len(values) > 1 and name != _REPEATED:
            values = [",".join(map(str, values))]
        for each in values:
            arguments += as_flags({name: each})
    return arguments


def _as_single(name: str, value: Any) -> Any:
    if not isinstance(value, _SINGLE):
        raise InputError(
            f"`{name}` must be text, a number, a path, true or false, or a list of "
            f"these, got {type(value).__name__}."
        )
    return bool(value) if isinstance(value, np.bool_) else value

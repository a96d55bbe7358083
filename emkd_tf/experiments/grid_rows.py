"""The rows of an experiment: those listed, each with every value of `vary`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emkd_tf.errors import InputError

_WHICH_DATA = "--dataset or --interactions says what data it is, for all rows"
# Settings that a row cannot have, and why.
_NEVER = {
    "seed": "--seeds says how many of each row",
    "test": "a report is of tests",
    "name": "a run is named by its settings",
    "dataset": _WHICH_DATA,
    "interactions": _WHICH_DATA,
    "attributes": "--attributes says what file they are in, for all rows",
}


def read_rows(path: Path, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Returns the settings of each row by its label.

    Args:
        path: of the experiment, for error messages.
        values: its content.

    Raises:
        InputError: settings that no row can have, or invalid rows.
    """
    base = _settings(path, "base", values.get("base"))
    vary = _settings(path, "vary", values.get("vary"))
    rows = values.get("rows") or ({"": {}} if vary else {})
    if not isinstance(rows, dict):
        raise InputError(f"{path}: `rows` must hold settings by label.")
    rows = {
        str(label): {**base, **_settings(path, "rows", own)}
        for label, own in rows.items()
    }
    return _varied(path, rows, vary) if vary else rows


def _varied(
    path: Path, rows: Mapping[str, Mapping[str, Any]], vary: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    for setting, choices in vary.items():
        if not isinstance(choices, list) or not choices:
            raise InputError(
                f"{path}: `vary` must hold a list for `{setting}`, such as [1, 2]."
            )
        texts = [str(value) for value in choices]
        if twice := [text for text in texts if texts.count(text) > 1]:
            raise InputError(f"{path}: `vary` has `{setting}` {twice[0]} twice.")
    return {
        f"{label} {setting} {value}".strip(): {**own, setting: value}
        for label, own in rows.items()
        for setting, choices in vary.items()
        for value in choices
    }


def _settings(path: Path, key: str, values: Any) -> dict[str, Any]:
    """Returns settings by name; refuses those that a grid cannot have."""
    if not isinstance(values or {}, dict):
        raise InputError(f"{path}: `{key}` must hold `setting: value` lines.")
    for setting, way in _NEVER.items():
        if setting in (values or {}):
            raise InputError(f"{path}: leave `{setting}` out of `{key}`: {way}.")
    return values or {}

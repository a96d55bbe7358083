"""Rules for settings; breaking one gives a line with the rule and the value."""

from __future__ import annotations

import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from emkd_tf.errors import InputError

LONGEST_NAME = 100  # bytes; file systems allow 255, and we append endings


def require(condition: bool, name: str, rule: str, value: Any) -> None:
    """Raises an InputError that names the setting, its rule and the value."""
    if not condition:
        raise InputError(f"`{name}` must be {rule}, got {value!r}.")


def require_at_least(section: Any, minimum: int, *names: str) -> None:
    for name in names:
        value = getattr(section, name)
        require(value >= minimum, name, f"at least {minimum}", value)


def choices_of(hint: Any) -> tuple[str, ...]:
    """Returns the choices of a field of type `Literal`, or `Literal` or None."""
    if typing.get_origin(hint) is typing.Literal:
        return typing.get_args(hint)
    return next(filter(None, map(choices_of, typing.get_args(hint))), ())


def require_choices(section: Any) -> None:
    """Raises an InputError if a field's value is not one of its choices."""
    for name, hint in typing.get_type_hints(type(section)).items():
        value, choices = getattr(section, name), choices_of(hint)
        if choices and value is not None:
            require_one_of(name, choices, value)


def require_one_of(name: str, choices: Iterable[str], value: Any) -> None:
    choices = tuple(choices)
    require(value in choices, name, f"one of {', '.join(choices)}", value)


def require_folder_name(section: Any, name: str) -> None:
    value = getattr(section, name)
    is_plain = value.isprintable() and value == Path(value).name not in ("", "..")
    require(
        is_plain and len(value.encode()) <= LONGEST_NAME,
        name,
        f"a plain folder name of at most {LONGEST_NAME} bytes",
        value,
    )

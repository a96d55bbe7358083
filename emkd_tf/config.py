"""All settings of a run by flat names.

One flat name serves everywhere: the YAML key `num_views`, the flag `--num-views`, the
attribute `config.objective.num_views`. Later sources win: defaults, then the dataset's
YAML, its preset, `--config` files, flags.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from emkd_tf.config_sections import (
    DataConfig,
    ModelConfig,
    ObjectiveConfig,
    RunConfig,
    TrainingConfig,
)
from emkd_tf.errors import InputError


@dataclasses.dataclass(frozen=True)
class Config:
    """All settings of a run, in sections."""

    data: DataConfig = dataclasses.field(default_factory=DataConfig)
    model: ModelConfig = dataclasses.field(default_factory=ModelConfig)
    objective: ObjectiveConfig = dataclasses.field(default_factory=ObjectiveConfig)
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)
    run: RunConfig = dataclasses.field(default_factory=RunConfig)


SECTIONS = {
    "data": DataConfig,
    "model": ModelConfig,
    "objective": ObjectiveConfig,
    "training": TrainingConfig,
    "run": RunConfig,
}
KEYS = {
    field.name: section
    for section, cls in SECTIONS.items()
    for field in dataclasses.fields(cls)
}

_TOO_LARGE = 2**31  # TensorFlow counts many things in 32 bits
_IN_WORDS = {
    str: "text",
    int: "a whole number below 2^31",
    float: "a finite number",
    bool: "true or false",
}


def nearest(name: str, known: Iterable[str]) -> str:
    """Returns ` Did you mean ...?` with the nearest known name, or all known names."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean `{close[0]}`?" if close else f"Known are: {', '.join(known)}."


def _check_type(key: str, value: Any) -> None:
    hint = typing.get_type_hints(SECTIONS[KEYS[key]])[key]
    wanted = typing.get_args(hint) or (hint,)
    if value is None and type(None) in wanted:
        return
    kind = wanted[0]
    fits = type(value) is kind or (kind is float and type(value) is int)
    if kind is int:
        fits = fits and abs(value) < _TOO_LARGE
    if kind is float:
        fits = fits and math.isfinite(value)
    if not fits:
        raise InputError(f"`{key}` must be {_IN_WORDS[kind]}, got {value!r}.")


def from_flat(values: Mapping[str, Any]) -> Config:
    """Builds a config from flat keys; those not given keep their defaults.

    Raises:
        InputError: an unknown key, or a value of another type or outside its range.
    """
    sections: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    for key, value in values.items():
        if key not in KEYS:
            raise InputError(f"Unknown key `{key}`. {nearest(key, KEYS)}")
        _check_type(key, value)
        sections[KEYS[key]][key] = value
    return Config(**{name: SECTIONS[name](**sections[name]) for name in SECTIONS})


def to_flat(config: Config) -> dict[str, Any]:
    """Returns every setting by its flat key, in the order of the sections."""
    return {
        key: getattr(getattr(config, section), key) for key, section in KEYS.items()
    }

"""All settings of a run by flat names.

One flat name serves everywhere: the YAML key `num_views`, the flag `--num-views`, the
attribute `config.objective.num_views`. Later sources win: defaults, then the dataset's
YAML, its preset, `--config` files, flags.
"""

from __future__ import annotations

import dataclasses
import difflib
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


def nearest(name: str, known: Iterable[str]) -> str:
    """Returns ` Did you mean ...?` with the nearest known name, or all known names."""
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean `{close[0]}`?" if close else f"Known are: {', '.join(known)}."


def from_flat(values: Mapping[str, Any]) -> Config:
    """Builds a config from flat keys; those not given keep their defaults.

    Raises:
        InputError: an unknown key, or a value outside its range.
    """
    sections: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    for key, value in values.items():
        if key not in KEYS:
            raise InputError(f"Unknown key `{key}`. {nearest(key, KEYS)}")
        sections[KEYS[key]][key] = value
    return Config(**{name: SECTIONS[name](**sections[name]) for name in SECTIONS})


def to_flat(config: Config) -> dict[str, Any]:
    """Returns every setting by its flat key, in the order of the sections."""
    return {
        key: getattr(getattr(config, section), key) for key, section in KEYS.items()
    }

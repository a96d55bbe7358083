"""All settings of a run by flat names.

One flat name serves everywhere: the YAML key `num_views`, the flag `--num-views`, the
attribute `config.objective.num_views`. Later sources win: defaults, then the
dataset's YAML, the model's YAML, its preset, `--config` files, flags.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import math
import os
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from emkd_tf.config.rules import choices_of
from emkd_tf.config.sections import (
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
PATHS = (
    *("data_dir", "cache_dir", "interactions", "attributes"),
    *("runs_dir", "saved_models_dir"),
)
_RUNS = ("distill",)  # also directories, but they decide what is trained
# Settings that do not decide what is trained: where things are, how a training is
# saved, and what follows it. Whether another log is the same data is decided by its
# content.
BESIDE_TRAINING = {
    *PATHS,
    *("name", "resume", "test", "export", "k", "checkpoint_steps", "on_nonfinite"),
    *("max_skipped", "worker_timeout", "profile"),
}


def with_absolute_paths(config: Config) -> Config:
    """Returns a config that refers to the same files from any working directory."""
    values = to_flat(config)
    given = {k: values[k] for k in (*PATHS, *_RUNS) if values[k] is not None}
    whole = {k: os.path.abspath(os.path.expanduser(p)) for k, p in given.items()}
    return from_flat({**values, **whole})


def nearest(name: str, known: Iterable[str]) -> str:
    """Returns `Did you mean ...?` with the nearest known name, or all known names."""
    known = sorted(known)
    if close := closest(name, known):
        return f"Did you mean `{close}`?"
    return f"Known are: {', '.join(known)}."


def nearest_flag(name: str, known: Iterable[str]) -> str:
    """Returns the same for flags, or where all of them are listed."""
    close = closest(name, sorted(known))
    return f"Did you mean `{close}`?" if close else "`--help all` lists all flags."


def closest(name: str, known: Sequence[str]) -> str | None:
    """Returns the known name that differs least, ignoring case and dashes."""
    bare = {each.lower().strip("-"): each for each in known}
    close = difflib.get_close_matches(name.lower().strip("-"), bare, n=1, cutoff=0.7)
    return bare[close[0]] if close else None


@functools.cache
def _hints() -> dict[str, Any]:
    """Returns the type of every setting; reading them is slow."""
    sections = [typing.get_type_hints(section) for section in SECTIONS.values()]
    return {key: hint for hints in sections for key, hint in hints.items()}


def choices(key: str) -> tuple[str, ...]:
    """Returns the choices of a setting that has fixed ones."""
    return choices_of(_hints()[key])


def _check_type(key: str, value: Any) -> None:
    hint = _hints()[key]
    wanted = typing.get_args(hint) or (hint,)
    if value is None and type(None) in wanted:
        return
    kind = str if choices(key) else wanted[0]
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
        InputError: an unknown key, or a value of the wrong type or out of range.
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

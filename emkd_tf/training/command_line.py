"""What the command line of a training asks for. One that names a run to learn from gets
that run's data and the settings of one of its networks."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from emkd_tf.config import BESIDE_TRAINING, KEYS, from_flat, to_flat
from emkd_tf.config.flags import Settings, as_flags, read_settings
from emkd_tf.config.model_table import MODELS, readers, unread
from emkd_tf.config.run_names import run_path
from emkd_tf.config.sections.data import OF_MODEL
from emkd_tf.training.run_config import read_config

(_STUDENT,) = readers("distill")
_OF_LISTS = {"distill", "distill_items", "distillation_weight", "temperature"}
# What one network of an ensemble is and how it learns the next item, without what it
# learns from the others.
_OF_NETWORK = {
    key
    for key, section in KEYS.items()
    if section in ("model", "objective", "training") or key in OF_MODEL
} - {
    *BESIDE_TRAINING,
    *unread(_STUDENT),
    *_OF_LISTS,
    *("model", "num_networks", "distillation", "seed", "strategy"),
}


class Training(NamedTuple):
    """What a command line asks for.

    Attributes:
        settings: with the model's preset if no other was asked for.
        is_like_teacher: its network is like those of the run that it learns from.
    """

    settings: Settings
    is_like_teacher: bool


def read_training(
    prog: str,
    description: str | None,
    arguments: Sequence[str],
    own: Mapping[str, dict[str, Any]] | None = None,
) -> Training:
    """Reads the command line of a training; see `read_settings`."""
    taught = of_teacher(arguments)
    arguments = [*taught.data, *taught.network, *arguments]
    found = read_settings(prog, description, arguments, own, is_training=True)
    if teacher := found.config.objective.distill:
        path = os.path.abspath(run_path(teacher))
        config = from_flat({**to_flat(found.config), "distill": path})
        found = found._replace(config=config)
    return Training(found, bool(taught.network))


class OfTeacher(NamedTuple):
    """What a command line takes from the run that it names to learn from, as flags.

    Attributes:
        data: where the run's data is, unless data is given.
        network: settings of its networks if the student can have them, at twice the
            width if there are several; none if a preset or a settings file is given.
    """

    data: list[str]
    network: list[str]


def of_teacher(arguments: Sequence[str]) -> OfTeacher:
    """Reads the run of --distill, if the command line has it."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for flag in ("distill", "dataset", "interactions", "preset", "config", "steps"):
        parser.add_argument(f"--{flag}", nargs="?")
    known = parser.parse_known_args(arguments)[0]
    path = run_path(os.path.expanduser(known.distill)) if known.distill else None
    if path is None or not path.exists():
        return OfTeacher([], [])
    of_run = to_flat(read_config(path))
    data, network = set(), set()
    if not known.dataset and not known.interactions:
        data = {k for k, section in KEYS.items() if section == "data"} - set(OF_MODEL)
    if not known.preset and not known.config and _can_be_student(of_run):
        network = _OF_NETWORK - ({"epochs"} if known.steps else set())
        # Twice as wide, it knows as much as several (docs/results.md) and scores
        # faster.
        of_run["hidden_units"] *= 2 if of_run["num_networks"] > 1 else 1
    flags = [
        as_flags({key: of_run[key] for key in KEYS if key in keys})
        for keys in (data, network)
    ]
    return OfTeacher(*flags)


def _can_be_student(of_run: dict[str, Any]) -> bool:
    """Returns whether the networks of a run predict the next item, with an encoder that
    its settings name."""
    model, task = str(of_run["model"]), str(of_run["task"])
    wanted = MODELS[_STUDENT].reads - _OF_LISTS
    return of_run["encoder"] is not None and not wanted & unread(model, task)

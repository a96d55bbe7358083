"""A run's settings as it keeps them, and whether others may continue it."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from emkd_tf.atomic_files import write_text
from emkd_tf.config import BESIDE_TRAINING, KEYS, Config, from_flat, to_flat
from emkd_tf.config.files import read_yaml
from emkd_tf.config.run_names import CONFIG_FILE, no_run
from emkd_tf.config.sections.data import log_name
from emkd_tf.errors import InputError

MEMBERS = "members"  # folder of a run that is a sum of others


def write_config(run_dir: Path, config: Config) -> None:
    """Writes every setting of a run, and YAML's mark for the end of a document."""
    text = yaml.safe_dump(
        to_flat(config), sort_keys=False, allow_unicode=True, explicit_end=True
    )
    write_text(run_dir / CONFIG_FILE, text)


def read_config(run_dir: Path) -> Config:
    """Reads a run's settings. Those that its version did not know get their defaults.

    Raises:
        InputError: no such run directory, or a file that is damaged or incomplete.
    """
    path = run_dir / CONFIG_FILE
    if not os.path.exists(path):
        raise no_run(run_dir)
    try:
        text = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    if not text.endswith(b"\n...\n"):
        raise InputError(
            f"{path} is incomplete: its end is missing; put the whole file back, or "
            "train again."
        )
    try:
        return from_flat(read_yaml(path))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def is_unfinished(run_dir: Path) -> bool:
    """Tells whether a training may continue in a directory: it has no results, and is
    not a sum of runs, which trains nothing."""
    ended = [run_dir / "metrics.json", run_dir / MEMBERS]
    return (run_dir / CONFIG_FILE).exists() and not any(path.exists() for path in ended)


def unfinished_runs(config: Config) -> list[Path]:
    """Returns the runs that a training may continue, the newest first."""
    if config.training.resume == "never":
        return []
    runs = Path(config.run.runs_dir)
    named = config.run.name
    paths = sorted(runs.glob("*"), reverse=True) if named is None else [runs / named]
    return [path for path in paths if is_unfinished(path)]


def changed_settings(old: Config, new: Config) -> list[str]:
    """Returns the settings of `new` that keep it from continuing `old`, in words."""
    was, now = to_flat(old), to_flat(new)
    names = set(KEYS) - BESIDE_TRAINING
    if _named_by_its_file(old) and _named_by_its_file(new):
        names.discard("dataset")
    changed = [key for key in KEYS if key in names and was[key] != now[key]]
    return [f"`{key}` was {was[key]}, is {now[key]}" for key in changed]


def same_inputs(old: Config, new: Config) -> bool:
    """Tells whether both name the same log files."""
    pairs = [(old.data.interactions, new.data.interactions)]
    pairs.append((old.data.attributes, new.data.attributes))
    return all(was == now for was, now in pairs)


def _named_by_its_file(config: Config) -> bool:
    file = config.data.interactions
    return file is not None and config.data.dataset == log_name(file)

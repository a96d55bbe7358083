"""How commands read their command lines."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from emkd_tf.commands.restarting import is_watched
from emkd_tf.commands.terminal import say
from emkd_tf.config import Config, to_flat
from emkd_tf.config.flags import read_settings, settings_parser
from emkd_tf.config.run_names import run_path
from emkd_tf.errors import InputError
from emkd_tf.training.command_line import read_training

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
# What a command may change about a run: where things are, not what was trained.
RUN_KEYS = (
    *("data_dir", "cache_dir", "interactions", "attributes"),
    *("recommend_seen", "protocol"),
)


def settings(
    command: Callable[[Sequence[str]], None],
    arguments: Sequence[str],
    own: Mapping[str, dict[str, Any]] | None = None,
) -> Config | None:
    """Reads the config of a command that does not train, or prints it and returns None.

    Args:
        command: whose name and first line the help page has.
        arguments: without the command's own.
        own: options of these by flag or name, for the help page.
    """
    prog = f"emkd {command.__name__}"
    found = read_settings(prog, command.__doc__, arguments, own)
    if found.is_print:
        _print(found.config)
        return None
    return found.config


def training_settings(
    command: Callable[[Sequence[str]], None],
    arguments: Sequence[str],
    own: Mapping[str, dict[str, Any]] | None = None,
) -> Config | None:
    """Reads the config of a command that trains, and says what was chosen by default;
    see `settings`."""
    prog = f"emkd {command.__name__}"
    found, is_like_teacher = read_training(prog, command.__doc__, arguments, own)
    if found.is_print:
        _print(found.config)
        return None
    if is_watched():  # the watching process has said it
        return found.config
    if found.unasked:
        say(
            f"Preset {found.unasked}; --preset paper trains with the published "
            "settings, which takes far longer."
        )
    if is_like_teacher:
        say(
            "Settings of the networks that it learns from, but twice as wide as one of "
            "several; --preset fair has its own."
        )
    return found.config


def _print(config: Config) -> None:
    say(yaml.safe_dump(to_flat(config), sort_keys=False).rstrip())


def take_own(
    own: Mapping[str, dict[str, Any]], arguments: Sequence[str]
) -> tuple[argparse.Namespace, list[str]]:
    """Separates a command's own arguments from the settings, which are returned as they
    are.

    Args:
        own: options by flag.
        arguments: of both kinds.

    Raises:
        InputError: an option without its value.
    """
    parser = argparse.ArgumentParser(
        add_help=False, allow_abbrev=False, exit_on_error=False
    )
    for flag, options in own.items():
        parser.add_argument(*sorted({flag, flag.replace("_", "-")}), **options)
    try:
        return parser.parse_known_args(list(arguments))
    except argparse.ArgumentError as error:
        raise InputError(f"{error}.") from None


def run_arguments(
    command: Callable[[Sequence[str]], None],
    arguments: Sequence[str],
    keys: Sequence[str],
    **own: dict[str, Any],
) -> dict[str, Any]:
    """Reads the arguments of a command on a run: --run, settings, and its own."""
    parser = settings_parser(f"emkd {command.__name__}", command.__doc__, keys)
    parser.add_argument(
        "--run", type=str, help="run directory, or its name in runs/ (required)"
    )
    for name, options in own.items():
        parser.add_argument(f"--{name}", **options)
    # Only what is given replaces the run's own settings.
    parser.set_defaults({key: None for key in keys})
    parser.epilog = "Settings that are not given are the run's own."
    return parser.parse(arguments)


def required_run(
    command: Callable[[Sequence[str]], None], values: dict[str, Any]
) -> Path:
    """Returns the directory of the run that a command was given.

    Raises:
        InputError: it was given none.
    """
    if values["run"] is None:
        raise InputError(f"`emkd {command.__name__}` needs --run RUN, a run directory.")
    return run_path(values["run"])


def distinct_runs(names: Sequence[str], baseline: str | None = None) -> list[Path]:
    """Returns the paths of all runs; a baseline that is not among them is added.

    Raises:
        InputError: a run is given twice.
    """
    paths: dict[Path, Path] = {}
    for name in names:
        path = run_path(name)
        if path.resolve() in paths:
            raise InputError(f"{path} is given twice; give every run once.")
        paths[path.resolve()] = path
    if baseline is not None:
        path = run_path(baseline)
        paths.setdefault(path.resolve(), path)
    return list(paths.values())


def given(values: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """Returns what replaces the run's own settings."""
    given = {key: values[key] for key in keys if values[key] is not None}
    # One rule in two settings: whichever is given replaces both.
    if "protocol" in given:
        return {"recommend_seen": False, **given}
    return {**given, "protocol": None} if "recommend_seen" in given else given


def seconds_of(text: str | None) -> float | None:
    """Returns a --budget such as 90m or 2h in seconds; None if none is given.

    Raises:
        InputError: it is not a time.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    if not match:
        raise InputError(f"`budget` must be a time such as 90m or 2h, got {text!r}.")
    return float(match.group(1)) * _UNITS[match.group(2) or "s"]

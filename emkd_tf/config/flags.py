"""From command-line arguments to a config: defaults < YAML < preset < --config <
flags."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import jsonargparse

from emkd_tf.config.files import layered, read_yaml
from emkd_tf.config.flag_errors import one_line
from emkd_tf.config.flat import (
    KEYS,
    PATHS,
    SECTIONS,
    Config,
    from_flat,
    nearest,
)
from emkd_tf.config.help import FLAGS, asked_page, meaning
from emkd_tf.config.model_table import DEFAULT_MODEL, MODELS, readers, unread
from emkd_tf.config.sections.data import log_name
from emkd_tf.errors import InputError

_PRINT = "--print_config"
_FILES = {
    *(*PATHS, "distill", "run", "runs", "baseline"),
    *("input", "output", "titles", "verify"),
}
_OF_ALL_RUNS = {"seed", "resume"}  # of the training settings
_OWN_DATA = "own"  # not a known dataset; a log may have the name of one


class SettingsParser(jsonargparse.ArgumentParser):
    """Typed flags; an error is one line with the nearest flag."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        raise InputError(one_line(message, self._option_string_actions))

    def parse(self, arguments: Sequence[str]) -> dict[str, Any]:
        """Parses flags, written with dashes or underscores; `~` in paths is the user's
        home.

        Raises:
            SystemExit: after the help page, if that was asked for.
        """
        if text := asked_page(self, arguments):
            print(text, flush=True)
            raise SystemExit(0)
        try:
            values = vars(self.parse_args([_underscored(a) for a in arguments]))
        except argparse.ArgumentError as error:
            self.error(str(error))
        return {k: _expanded(v) if k in _FILES else v for k, v in values.items()}

    def check(self, values: Mapping[str, Any]) -> None:
        """Checks the types of settings from files and makes them the defaults."""
        try:
            checked = vars(self.parse_object(dict(values), defaults=False))
        except argparse.ArgumentError as error:
            self.error(str(error))
        self.set_defaults({key: checked[key] for key in values})


def _expanded(path: str | list[str] | None) -> str | list[str] | None:
    if isinstance(path, list):
        return [os.path.expanduser(each) for each in path]
    return path and os.path.expanduser(path)


def _underscored(argument: str) -> str:
    """`--max-length=20` becomes `--max_length=20`; the value keeps its dashes."""
    flag, equals, value = argument.partition("=")
    if flag.startswith("--"):
        flag = f"--{flag[2:].replace('-', '_')}"
    return flag + equals + value


def as_flags(settings: Mapping[str, Any]) -> list[str]:
    """Returns settings by flat name as a command line; None values are left out."""
    return [
        f"--{key}={str(value).lower() if isinstance(value, bool) else value}"
        for key, value in settings.items()
        if value is not None
    ]


def settings_parser(
    prog: str, description: str | None, keys: Iterable[str] | None = None
) -> SettingsParser:
    """Builds a parser whose flags, types, defaults and help come from the config
    classes.

    Args:
        prog, description: for the help.
        keys: settings to take; None takes all.
    """
    parser = SettingsParser(
        prog=prog, description=description, exit_on_error=False, allow_abbrev=False
    )
    wanted = set(KEYS if keys is None else keys)
    for name, section in SECTIONS.items():
        own = {key for key, of in KEYS.items() if of == name}
        if own & wanted:
            parser.add_class_arguments(section, None, skip=own - wanted)
    for action in parser._actions:
        if action.dest in wanted:
            action.help = meaning(action.dest, action.help or "")
    return parser


def _refuse_unread(model: str, task: str, arguments: Sequence[str]) -> None:
    """Raises an InputError if a flag sets what the model does not read for its
    task."""
    for argument in arguments:
        name = argument.partition("=")[0].removeprefix("--")
        if not argument.startswith("--"):
            continue
        if name in unread(model):
            raise InputError(
                f"`{name}` is not a setting of {model}, but of "
                f"{', '.join(readers(name))}; leave it out or choose another --model."
            )
        if name in unread(model, task):
            of_tasks = MODELS[model].reads_by_task
            wanted = next(of for of, keys in of_tasks.items() if name in keys)
            raise InputError(
                f"`{name}` is read with `task` {wanted} alone, and the task is {task}; "
                f"leave it out, or give --task {wanted} or a --preset of that task."
            )
        is_of_training = KEYS.get(name) == "training" and name not in _OF_ALL_RUNS
        if is_of_training and not MODELS[model].is_trained:
            raise InputError(
                f"`{name}` is not a setting of {model}, which is counted, not trained; "
                "leave it out or choose another --model."
            )


def _first_of(arguments: Sequence[str]) -> argparse.Namespace:
    """Reads the flags that the defaults of all others depend on."""
    first = argparse.ArgumentParser(
        add_help=False, allow_abbrev=False, exit_on_error=False
    )
    for name in ("dataset", "preset", "interactions", "model"):
        first.add_argument(f"--{name}")
    first.add_argument("--config", action="append", default=[])
    try:
        return first.parse_known_args([a for a in arguments if a not in FLAGS])[0]
    except argparse.ArgumentError as error:
        raise InputError(f"{error}.") from None


class Settings(NamedTuple):
    """What a command line asks for.

    Attributes:
        config: of the run.
        is_print: --print-config was given.
        unasked: preset chosen by default; None if the user chose.
    """

    config: Config
    is_print: bool
    unasked: str | None


def read_settings(
    prog: str,
    description: str | None,
    arguments: Sequence[str],
    own: Mapping[str, dict[str, Any]] | None = None,
    *,
    is_training: bool = False,
) -> Settings:
    """Reads all settings of a run from its command line.

    Args:
        prog, description: for the help.
        arguments: without the command's own.
        own: options of the command's own arguments by flag or name, for the help.
        is_training: without --preset and --config, use the model's default preset.

    Raises:
        InputError: an unknown flag, key or preset, or a value of the wrong type or out
            of range.
    """
    arguments = [_underscored(a) for a in arguments]
    known = _first_of(arguments)
    parser = settings_parser(prog, description)
    parser.add_argument("--preset", help="one of docs/models.md; none: plain defaults")
    parser.add_argument(
        "--config", action="append", help="YAML file of settings; may be repeated"
    )
    for name, options in (own or {}).items():
        parser.add_argument(name, **options)
    parser.epilog = (
        "Defaults follow from the --dataset, --preset and --config beside --help; "
        "--print-config\nprints all settings and stops."
    )
    files = [Path(file).expanduser() for file in known.config]
    chosen = {key: getattr(known, key) for key in ("dataset", "interactions", "model")}
    for file in files:
        values = read_yaml(file)
        chosen = {key: chosen[key] or values.get(key) for key in chosen}
    dataset = chosen["dataset"]
    if chosen["interactions"] and not dataset:
        dataset = log_name(str(chosen["interactions"]))
    template = _OWN_DATA if chosen["interactions"] else dataset or "sample"
    model = str(chosen["model"] or DEFAULT_MODEL)
    if model not in MODELS:
        raise InputError(f"Unknown model `{model}`. {nearest(model, MODELS)}")
    is_open = is_training and not known.preset and not files
    unasked = MODELS[model].preset if is_open else None
    parser.check(layered(template, known.preset or unasked, files, model))
    names = [argument.partition("=")[0] for argument in arguments]
    of_steps = "--steps" in names and "--epochs" not in names  # which would win
    parser.set_defaults({"model": model, **({"epochs": 0} if of_steps else {})})
    if dataset:
        parser.set_defaults({"dataset": dataset})
    # jsonargparse has a flag of this name with its own meaning.
    is_print = _PRINT in arguments
    values = parser.parse([a for a in arguments if a != _PRINT])
    _refuse_unread(model, values["task"], arguments)
    config = from_flat({key: values[key] for key in KEYS})
    return Settings(config, is_print, unasked)

"""From command-line arguments to a config: defaults < YAML < preset < --config <
flags."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonargparse

from emkd_tf.config import KEYS, SECTIONS, Config, from_flat, nearest
from emkd_tf.config_files import layered, read_yaml
from emkd_tf.errors import InputError

_PRINT = "--print_config"
_KINDS = {
    "int": "whole number",
    "float": "number",
    "bool": "true or false",
    "str": "text",
}
OWN_DATA = "own"  # configs/own.yaml serves every log that is no known dataset


class SettingsParser(jsonargparse.ArgumentParser):
    """Typed flags; an error is one line with the nearest flag."""

    def error(self, message: str, ex: Exception | None = None) -> None:
        raise InputError(_one_line(message, self._option_string_actions))

    def format_help(self) -> str:
        return re.sub(r"--[a-z_]+", lambda m: _dashed(m.group()), super().format_help())

    def parse(self, arguments: Sequence[str]) -> dict[str, Any]:
        """Parses flags, written with dashes or underscores."""
        try:
            return vars(self.parse_args([_underscored(a) for a in arguments]))
        except argparse.ArgumentError as error:
            self.error(str(error))

    def check(self, values: Mapping[str, Any]) -> None:
        """Checks the types of settings from files and makes them the defaults."""
        try:
            checked = vars(self.parse_object(dict(values), defaults=False))
        except argparse.ArgumentError as error:
            self.error(str(error))
        self.set_defaults({key: checked[key] for key in values})


def _dashed(flag: str) -> str:
    return flag.replace("_", "-")


def _underscored(argument: str) -> str:
    """`--max-length=20` becomes `--max_length=20`; the value keeps its dashes."""
    flag, equals, value = argument.partition("=")
    if flag.startswith("--"):
        flag = "--" + flag[2:].replace("-", "_")
    return flag + equals + value


def _one_line(message: str, flags: Iterable[str]) -> str:
    text = " ".join(str(message).split())
    if match := re.search(r"unrecognized arguments: (\S+)", text, re.IGNORECASE):
        flag = match.group(1).partition("=")[0]
        if not flag.startswith("-"):
            return f"Unexpected argument `{flag}`; settings are given as --name VALUE."
        hint = _dashed(nearest(flag, [f for f in flags if f.startswith("--")]))
        return f"Unknown flag `{_dashed(flag)}`. {hint}"
    if match := re.search(r'key "(\w+)": (.*)', text):
        rule = match.group(2)
        if found := re.search(r"Union subtypes .* Given value: (.*)", rule):
            rule = f"Expected text. Got value: {found.group(1)}"
        for kind, word in _KINDS.items():
            rule = rule.replace(f"a <class '{kind}'>", word)
        return f"`{match.group(1)}`: {rule}"
    return text


def settings_parser(
    prog: str, description: str, keys: Iterable[str] | None = None
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
    return parser


def read_settings(
    prog: str, description: str, arguments: Sequence[str]
) -> tuple[Config, bool]:
    """Reads all settings of a run from its command line.

    Returns:
        The config, and whether --print-config was given.

    Raises:
        InputError: an unknown flag, key or preset, or a value of a wrong type or range.
    """
    first = argparse.ArgumentParser(
        add_help=False, allow_abbrev=False, exit_on_error=False
    )
    first.add_argument("--dataset")
    first.add_argument("--preset")
    first.add_argument("--config", action="append", default=[])
    first.add_argument("--interactions")
    arguments = [_underscored(a) for a in arguments]
    try:
        known, _ = first.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise InputError(f"{error}.") from None

    parser = settings_parser(prog, description)
    parser.add_argument("--preset", help="preset of the dataset's YAML, such as cpu")
    parser.add_argument(
        "--config", action="append", help="YAML file of settings; may be repeated"
    )
    parser.epilog = "--print-config prints the settings and stops."
    files = [Path(file) for file in known.config]
    chosen = {"dataset": known.dataset, "interactions": known.interactions}
    for file in files:
        values = read_yaml(file)
        chosen = {key: chosen[key] or values.get(key) for key in chosen}
    dataset = chosen["dataset"]
    if chosen["interactions"] and not dataset:
        dataset = Path(str(chosen["interactions"])).stem
        parser.set_defaults({"dataset": dataset})
    template = OWN_DATA if chosen["interactions"] else dataset or "sample"
    parser.check(layered(template, known.preset, files))
    # jsonargparse has a flag of this name with a meaning of its own.
    is_print = _PRINT in arguments
    values = parser.parse([a for a in arguments if a != _PRINT])
    return from_flat({key: values[key] for key in KEYS}), is_print

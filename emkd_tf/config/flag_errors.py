"""Command-line errors, as one line that a person can act on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from emkd_tf.config.flat import KEYS, choices, nearest_flag
from emkd_tf.config.run_names import CONFIG_FILE, run_path

_HIDDEN = {"--print_shtab", "--print-shtab"}  # jsonargparse's own
_KINDS = {
    "int": "whole number",
    "float": "number",
    "bool": "true or false",
    "str": "text",
}


def one_line(message: str, flags: Iterable[str]) -> str:
    """Returns what a parser's error means.

    Args:
        message: from jsonargparse.
        flags: those that the parser knows.
    """
    text = " ".join(str(message).split())
    if match := re.search(r"unrecognized arguments: (\S+)", text, re.IGNORECASE):
        flag = match.group(1).partition("=")[0]
        if not flag.startswith("-"):
            return f"Unexpected argument `{flag}`; {_way_to_give(flag)}."
        ours = {each for each in flags if each.startswith("--")} - _HIDDEN
        hint = nearest_flag(flag, ours)
        return f"Unknown flag `{flag}`. {hint}".replace("_", "-")
    if match := re.search(r'key "(\w+)": (.*)', text):
        key, rule = match.groups()
        if key in KEYS and (known := choices(key)):
            value = rule.rpartition("value: ")[2]
            return f"`{key}` must be one of {', '.join(known)}, got {value!r}."
        if found := re.search(r"Union subtypes .* Given value: (.*)", rule):
            rule = f"Expected text. Got value: {found.group(1)}"
        for kind, word in _KINDS.items():
            rule = rule.replace(f"a <class '{kind}'>", word)
        return f"`{match.group(1)}`: {rule}"
    if match := re.fullmatch(r"argument (--\S+): expected one argument", text):
        flag = match.group(1).replace("_", "-")
        return f"{text}; a value that begins with - is written {flag}=VALUE."
    return text


def _way_to_give(word: str) -> str:
    """Says how to pass a word that stands alone on a command line."""
    if (run_path(word) / CONFIG_FILE).exists():
        return f"a run is given as --run {word}"
    if Path(word).is_file():
        return f"a log is given as --interactions {word}"
    return "settings are given as --name VALUE"

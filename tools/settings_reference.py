"""Writes the tables of docs/configuration.md from the sections of the config.

python tools/settings_reference.py
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import docstring_parser
import yaml

from emkd_tf.config import SECTIONS
from emkd_tf.config.help import meaning

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "configuration.md"


def tables() -> str:
    """Returns a heading and a table for each section."""
    parts = []
    for name, section in SECTIONS.items():
        text = docstring_parser.parse(section.__doc__)
        parts += [f"## {name}", "", text.short_description or "", ""]
        parts += ["| key | default | meaning |", "|---|---|---|"]
        meanings = {param.arg_name: param.description for param in text.params}
        for field in dataclasses.fields(section):
            text = " ".join((meanings[field.name] or "").split()).removesuffix(".")
            told = meaning(field.name, text).replace("|", "\\|")
            parts.append(f"| `{field.name}` | {_shown(field.default)} | {told} |")
        parts.append("")
    return "\n".join(parts)


def _shown(value: object) -> str:
    return "" if value is None else yaml.safe_dump(value).split("\n")[0]


def reference(text: str) -> str:
    """Returns the page with the tables at its end regenerated."""
    return text[: text.index(f"## {next(iter(SECTIONS))}\n")] + tables()


if __name__ == "__main__":
    REFERENCE.write_text(reference(REFERENCE.read_text()))

"""What a report says about the data, and how to make the runs again."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emkd_tf.data.histories import Histories
from emkd_tf.evaluation.text_tables import TextTable
from emkd_tf.report.drawings import data_picture
from emkd_tf.report.run_files import RunFiles
from emkd_tf.report.sections import Section

_COUNTS = {
    "users": "users",
    "items": "items",
    "actions": "actions",
    "repeats": "of these, of an item that the user had before",
    "actions_per_user": "actions a user",
    "actions_per_item": "actions an item",
    "sparsity_percent": "pairs of user and item without action, %",
    "attributes": "attributes",
    "items_with_attributes": "items with attributes",
}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a run was made, and how to make it again.

    Attributes:
        run: its name.
        commands: to type.
        facts: what it ran on.
        settings: all of them, as YAML.
    """

    run: str
    commands: Sequence[str]
    facts: TextTable
    settings: str


def data_section(dataset: Mapping[str, Any], histories: Histories) -> Section:
    """Returns the card of a dataset: `dataset.json`, and what its histories look
    like."""
    rows = [["name", dataset["name"]]]
    for key, words in _COUNTS.items():
        if key in dataset:
            rows.append([words, f"{dataset[key]:,}"])
    rows += _told(dataset)
    rows.append(["fingerprint of files and options", dataset["fingerprint"]])
    picture = data_picture(np.diff(histories.offsets), histories.training_item_counts())
    text = "What was trained on, after cleaning."
    return Section("Data", text, [TextTable("Dataset card", ["", ""], rows)], [picture])


def _told(dataset: Mapping[str, Any]) -> list[list[str]]:
    """Returns facts that only some datasets have."""
    dropped = [
        f"{count:,} ({reason})"
        for reason, count in dataset.get("dropped_rows", {}).items()
        if count
    ]
    told = {
        "split": _listed(dataset.get("split")) or "leave one out",
        "columns": _listed(dataset.get("columns")),
        "dropped rows": ", ".join(dropped) or "none",
        "published": _listed(dataset.get("published")),
        "licence": dataset.get("licence") or "not known",
    }
    return [[key, str(value)] for key, value in told.items() if value]


def _listed(values: Mapping[str, Any] | str | None) -> str:
    if not isinstance(values, Mapping):
        return values or ""
    return ", ".join(f"{key} {value}" for key, value in values.items())


def recipe(run: RunFiles) -> Recipe:
    """Says how a run was made and how to make it again."""
    environment, metrics = run.environment, run.metrics
    packages = environment.get("packages", {})
    facts = {
        "trained by": shlex.join(map(str, environment.get("command", []))),
        "Python": environment.get("python"),
        "packages": _listed({k: v for k, v in packages.items() if v}),
        "machine": f"{environment.get('platform')}, {environment.get('cores')} cores",
        "devices": ", ".join(environment.get("devices", [])),
        "seconds of training": f"{metrics['seconds']:,}",
        "trained weights": f"{metrics['parameters']:,}",
    }
    rows = [[key, str(value)] for key, value in facts.items() if value]
    path = shlex.quote(str(run.path))
    commands = [
        f"emkd train --config {shlex.quote(str(Path(run.path) / 'config.yaml'))} "
        f"--name {shlex.quote(run.name)}-again",
        f"emkd evaluate --run {path}",
    ]
    return Recipe(
        run.name, commands, TextTable(f"{run.name}", ["", ""], rows), run.settings
    )

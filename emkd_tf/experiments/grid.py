"""Experiments as data: a YAML file of rows, each of which is an ordinary training."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emkd_tf.config import KEYS, nearest
from emkd_tf.config.files import CONFIGS_DIR, load_yaml
from emkd_tf.errors import InputError
from emkd_tf.evaluation.metrics import METRICS
from emkd_tf.experiments.grid_rows import read_rows
from emkd_tf.experiments.published import read_published

FOLDER = CONFIGS_DIR / "experiments"
KINDS = ("runs", "counts", "parameters")
BY_SECONDS = "seconds"  # as `x`
_KEYS = {
    *("title", "kind", "datasets", "preset", "metrics", "baseline"),
    *("base", "rows", "vary", "x", "published", "note"),
}


@dataclasses.dataclass(frozen=True)
class Experiment:
    """What is compared.

    Attributes:
        name: of its file.
        title: with its source.
        kind: runs (trainings), counts (of datasets) or parameters (of untrained
            models).
        datasets: names of those it is for; the first is the default.
        preset: for rows that have none of their own, or None.
        metrics: the first is tested.
        baseline: label of the row that others are tested against; None means the best.
        rows: settings of each row by its label; "preset" may be among them.
        x: what a figure shows the rows by: a setting, "seconds", or None for a table.
        published: values by dataset, row and metric.
        note: a sentence for the report.
    """

    name: str
    title: str
    kind: str
    datasets: Sequence[str]
    preset: str | None
    metrics: Sequence[str]
    baseline: str | None
    rows: Mapping[str, Mapping[str, Any]]
    x: str | None
    published: Mapping[str, Mapping[str, Mapping[str, float]]]
    note: str


def names() -> list[str]:
    """Returns the experiments that come with the package."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read_experiment(name: str) -> Experiment:
    """Reads an experiment by name, or your own YAML file.

    Raises:
        InputError: there is none, or it contains something unknown.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else FOLDER / f"{name}.yaml"
    if not os.path.exists(path):
        raise InputError(f"There is no experiment `{name}`. {nearest(name, names())}")
    values = load_yaml(path)
    if not isinstance(values, dict):
        raise InputError(f"{path} must hold `key: value` lines.")
    for key in values:
        if key not in _KEYS:
            raise InputError(f"{path}: unknown key `{key}`. {nearest(str(key), _KEYS)}")
    kind = values.get("kind", "runs")
    if kind not in KINDS:
        raise InputError(f"{path}: `kind` must be one of {', '.join(KINDS)}.")
    rows = read_rows(path, values)
    if not rows and kind != "counts":
        raise InputError(f"{path}: `rows` must hold at least one row, with its label.")
    datasets = _datasets(path, values)
    metrics = values.get("metrics", ["NDCG@10", "HR@10"])
    _require_known(path, "metrics", metrics, METRICS)
    x = values.get("x")
    _require_known(path, "x", [] if x is None else [x], (BY_SECONDS, *KEYS))
    if x not in (None, BY_SECONDS) and not any(x in own for own in rows.values()):
        raise InputError(f"{path}: `x` is `{x}`, which no row sets; add it to `vary`.")
    baseline = values.get("baseline")
    if baseline is not None:
        baseline = str(baseline)
        _require_known(path, "baseline", [baseline], rows)
    return Experiment(
        name=path.stem,
        title=_text(path, values, "title") or path.stem,
        kind=kind,
        datasets=datasets,
        preset=values.get("preset"),
        metrics=metrics,
        baseline=baseline,
        rows=rows,
        x=x,
        published=read_published(path, values, kind, datasets, rows, metrics),
        note=_text(path, values, "note"),
    )


def _require_known(path: Path, key: str, names: Any, known: Iterable[str]) -> None:
    if not isinstance(names, list) or (not names and key == "metrics"):
        raise InputError(f"{path}: `{key}` must be a list, such as [NDCG@10, HR@10].")
    for name in names:
        if name not in tuple(known):
            hint = nearest(str(name), known)
            raise InputError(f"{path}: `{key}` {name!r} is unknown. {hint}")


def _text(path: Path, values: Mapping[str, Any], key: str) -> str:
    text = "" if values.get(key) is None else values[key]
    if not isinstance(text, str):
        raise InputError(f"{path}: `{key}` must be text; put it in quotes.")
    return text


def _datasets(path: Path, values: Mapping[str, Any]) -> list[str]:
    names = values.get("datasets", ["sample"])
    is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if not is_list or not names:
        raise InputError(f"{path}: `datasets` must be a list of names, as [sample].")
    return names

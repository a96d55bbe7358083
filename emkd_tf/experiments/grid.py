"""Experiments as data: a YAML file of rows, each of which is an ordinary training."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from emkd_tf.config import KEYS, nearest
from emkd_tf.config.files import CONFIGS_DIR
from emkd_tf.errors import InputError
from emkd_tf.evaluation.metrics import METRICS

FOLDER = CONFIGS_DIR / "experiments"
KINDS = ("runs", "counts", "parameters")
BY_SECONDS = "seconds"  # as `x`
_KEYS = {
    *("title", "kind", "datasets", "preset", "metrics", "baseline"),
    *("base", "rows", "vary", "x", "published", "note"),
}


# Settings that a row has not, and why.
_NEVER = {
    "seed": "--seeds says how many of each row",
    "test": "a report is of tests",
    "name": "a run is named by its settings",
}


@dataclasses.dataclass(frozen=True)
class Experiment:
    """What is compared.

    Attributes:
        name: of its file.
        title: with its source.
        kind: runs, trainings; counts, of datasets; parameters, of untrained models.
        datasets: it is for, by name; the first if none is chosen.
        preset: of rows that have none of their own, or None.
        metrics: the first one is tested.
        baseline: label of the row that others are tested against; None takes the best.
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
    """Reads an experiment by its name, or a YAML file of one's own.

    Raises:
        InputError: there is none, or it says something unknown.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else FOLDER / f"{name}.yaml"
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        raise InputError(
            f"There is no experiment `{name}`. {nearest(name, names())}"
        ) from None
    except yaml.YAMLError:
        raise InputError(f"{path} is not valid YAML; correct it.") from None
    if not isinstance(values, dict):
        raise InputError(f"{path} must hold `key: value` lines.")
    for key in values:
        if key not in _KEYS:
            raise InputError(f"{path}: unknown key `{key}`. {nearest(str(key), _KEYS)}")
    rows = _rows(path, values)
    kind = values.get("kind", "runs")
    if kind not in KINDS:
        raise InputError(f"{path}: `kind` must be one of {', '.join(KINDS)}.")
    metrics = values.get("metrics", ["NDCG@10", "HR@10"])
    _require_known(path, "metrics", metrics, METRICS)
    x = values.get("x")
    _require_known(path, "x", [] if x is None else [x], (BY_SECONDS, *KEYS))
    baseline = values.get("baseline")
    if baseline is not None:
        baseline = str(baseline)
        _require_known(path, "baseline", [baseline], rows)
    return Experiment(
        name=path.stem,
        title=values.get("title", path.stem),
        kind=kind,
        datasets=values.get("datasets", ["sample"]),
        preset=values.get("preset"),
        metrics=metrics,
        baseline=baseline,
        rows=rows,
        x=x,
        published=values.get("published", {}),
        note=values.get("note", ""),
    )


def _require_known(path: Path, key: str, names: Any, known: Iterable[str]) -> None:
    if not isinstance(names, list) or (not names and key == "metrics"):
        raise InputError(f"{path}: `{key}` must be a list, such as [NDCG@10, HR@10].")
    for name in names:
        if name not in known:
            hint = nearest(str(name), known)
            raise InputError(f"{path}: `{key}` {name!r} is unknown. {hint}")


def _rows(path: Path, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Returns all rows: those written out, each for each value of `vary`."""
    base = _settings(path, "base", values.get("base"))
    vary = _settings(path, "vary", values.get("vary"))
    rows = values.get("rows") or ({"": {}} if vary else {})
    if not isinstance(rows, dict):
        raise InputError(f"{path}: `rows` must hold settings by label.")
    rows = {
        str(label): {**base, **_settings(path, "rows", own)}
        for label, own in rows.items()
    }
    if not vary:
        return rows
    for setting, choices in vary.items():
        if not isinstance(choices, list):
            raise InputError(f"{path}: `vary` must hold a list for `{setting}`.")
    return {
        f"{label} {setting} {value}".strip(): {**own, setting: value}
        for label, own in rows.items()
        for setting, choices in vary.items()
        for value in choices
    }


def _settings(path: Path, key: str, values: Any) -> dict[str, Any]:
    """Returns settings by name; those that a grid cannot have are refused."""
    if not isinstance(values or {}, dict):
        raise InputError(f"{path}: `{key}` must hold `setting: value` lines.")
    for setting, way in _NEVER.items():
        if setting in (values or {}):
            raise InputError(f"{path}: leave `{setting}` out of `{key}`: {way}.")
    return values or {}

"""Experiments as data: a YAML file of rows, each of which is an ordinary training."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from emkd_tf.config import BESIDE_TRAINING, Config, from_flat, nearest, to_flat
from emkd_tf.config.files import CONFIGS_DIR, NO_PRESET
from emkd_tf.config.flags import as_flags, read_settings
from emkd_tf.data.prepare import own_hashes
from emkd_tf.errors import InputError

FOLDER = CONFIGS_DIR / "experiments"
KINDS = ("runs", "counts", "parameters")
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


@dataclasses.dataclass(frozen=True)
class Cell:
    """One training of an experiment.

    Attributes:
        label: of its row.
        seed: of its training.
        config: all its settings; equal ones have one run, in whatever experiments.
        arguments: flags of `emkd train`.
    """

    label: str
    seed: int
    config: Config
    arguments: Sequence[str]

    @property
    def run_dir(self) -> Path:
        """Where its run is, or will be."""
        return Path(self.config.run.runs_dir) / str(self.config.run.name)

    @property
    def is_finished(self) -> bool:
        return (self.run_dir / "metrics.json").exists()

    @property
    def is_begun(self) -> bool:
        return self.run_dir.exists()


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
    baseline = values.get("baseline")
    if baseline is not None and baseline not in rows:
        raise InputError(
            f"{path}: `baseline` {baseline!r} is none of its rows. "
            f"{nearest(str(baseline), rows)}"
        )
    return Experiment(
        name=path.stem,
        title=values.get("title", path.stem),
        kind=kind,
        datasets=values.get("datasets", ["sample"]),
        preset=values.get("preset"),
        metrics=values.get("metrics", ["NDCG@10", "HR@10"]),
        baseline=baseline,
        rows=rows,
        x=values.get("x"),
        published=values.get("published", {}),
        note=values.get("note", ""),
    )


def _rows(path: Path, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Returns all rows: those written out, each for each value of `vary`."""
    base = values.get("base") or {}
    rows = values.get("rows") or ({"": {}} if "vary" in values else {})
    if not isinstance(rows, dict):
        raise InputError(f"{path}: `rows` must hold settings by label.")
    rows = {str(label): {**base, **(own or {})} for label, own in rows.items()}
    vary = values.get("vary")
    if not vary:
        return rows
    return {
        f"{label} {setting} {value}".strip(): {**own, setting: value}
        for label, own in rows.items()
        for setting, choices in vary.items()
        for value in choices
    }


def cells(
    experiment: Experiment,
    dataset: str,
    *,
    preset: str | None = None,
    seeds: int = 1,
    flags: Sequence[str] = (),
) -> list[Cell]:
    """Returns the trainings of an experiment on a dataset, checked as `emkd train`
    checks them.

    Args:
        experiment: of kind runs or parameters.
        dataset: its name.
        preset: in place of those of the experiment and its rows.
        seeds: trainings of each row, with seeds from 0.
        flags: further settings of all of them, such as --data-dir.

    Raises:
        InputError: a row that no training takes.
    """
    return [
        _cell(experiment, dataset, label, preset, seed, flags)
        for label in experiment.rows
        for seed in range(seeds)
    ]


def _cell(
    experiment: Experiment,
    dataset: str,
    label: str,
    preset: str | None,
    seed: int,
    flags: Sequence[str],
) -> Cell:
    settings = dict(experiment.rows[label])
    own = settings.pop("preset", experiment.preset)
    preset = preset or own
    arguments = [f"--dataset={dataset}", f"--seed={seed}", "--export=false", *flags]
    arguments += [f"--preset={preset or NO_PRESET}"]
    arguments += as_flags(settings)
    try:
        return cell_of(label, arguments)
    except InputError as error:
        raise InputError(f"Row {label!r} of {experiment.name}: {error}") from None


def cell_of(label: str, arguments: Sequence[str]) -> Cell:
    """Returns the training of a command line, whose run is named by its settings.

    Args:
        label: what it is called.
        arguments: flags of `emkd train`, without --name.

    Raises:
        InputError: no training takes them.
    """
    config = read_settings("emkd train", "", arguments).config
    seed = config.training.seed
    name = f"{config.data.dataset}-{config.model.model}-{_hash(config)}-seed{seed}"
    run = dataclasses.replace(config.run, name=name)
    config = dataclasses.replace(config, run=run)
    return Cell(label, seed, config, [*arguments, f"--name={name}"])


def _hash(config: Config) -> str:
    """Of all that decides a training but its seed: changed settings, and another log,
    are other runs. Defaults are left out, so that a new setting does not rename the
    runs before it."""
    defaults = to_flat(from_flat({}))
    decisive = {
        key: value
        for key, value in to_flat(config).items()
        if key not in BESIDE_TRAINING and key != "seed" and value != defaults[key]
    }
    if files := _own_hashes(config.data):
        decisive["files"] = files
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:8]


_own_hashes = functools.cache(own_hashes)  # for all rows of a grid

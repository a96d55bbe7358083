"""What the runs of an experiment show."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emkd_tf.atomic_files import read_json
from emkd_tf.evaluation.comparison import Difference, Estimate, differences, estimate
from emkd_tf.evaluation.metrics import user_values
from emkd_tf.evaluation.run_ranks import RunRanks, read_run, require_comparable
from emkd_tf.experiments.cells import Cell
from emkd_tf.experiments.grid import Experiment
from emkd_tf.run_reading import read_epochs

_LEVEL = 0.05


@dataclasses.dataclass(frozen=True)
class Result:
    """What the finished runs of a row show.

    Attributes:
        label: of the row.
        seeds: number of finished runs.
        metrics: by name, the mean over users and seeds with its intervals.
        difference: of the first metric from the row compared with; None for that row.
        published: the source's values by metric.
        settings: of the first run, by flat name.
        parameters: number of trained weights.
        seconds: of a training by the clock, mean over seeds.
        processor_seconds: of a training over all cores, mean over seeds; None for a
            counted model.
    """

    label: str
    seeds: int
    metrics: Mapping[str, Estimate]
    difference: Difference | None
    published: Mapping[str, float]
    settings: Mapping[str, Any]
    parameters: int | None
    seconds: float | None
    processor_seconds: float | None


@dataclasses.dataclass(frozen=True)
class Findings:
    """The results of an experiment on a dataset.

    Attributes:
        results: of all rows, in their order.
        reference: label of the row that the others are compared with, or None.
        runs: of each row.
        dataset, protocol: of the runs.
        machines: that trained them, in words.
        metrics: of the experiment; the first is tested.
    """

    results: Sequence[Result]
    reference: str | None
    runs: Mapping[str, Sequence[RunRanks]]
    dataset: str
    protocol: str
    machines: Sequence[str]
    metrics: Sequence[str]


def findings(experiment: Experiment, dataset: str, cells: Sequence[Cell]) -> Findings:
    """Reads the finished runs among the cells of an experiment.

    Raises:
        InputError: runs that rank different users or items.
    """
    finished: dict[str, list[Cell]] = {label: [] for label in experiment.rows}
    for cell in cells:
        if cell.is_finished:
            finished[cell.label].append(cell)
    runs = {
        label: [read_run(cell.run_dir, "test") for cell in of_row]
        for label, of_row in finished.items()
        if of_row
    }
    every = [run for of_row in runs.values() for run in of_row]
    if every:
        require_comparable(every)
    values, first_of = _distinct(runs, experiment.metrics[0])
    reference: str | None = None
    tested: Mapping[str, Difference] = {}
    if len(values) > 1:
        baseline = first_of.get(experiment.baseline or "")
        reference, tested = differences(values, baseline)
        reference = experiment.baseline if baseline else reference
    tested = {label: tested[of] for label, of in first_of.items() if of in tested}
    published = experiment.published.get(dataset, {})
    results = [
        _result(experiment, label, finished[label], runs, tested, published)
        for label in experiment.rows
    ]
    protocol = every[0].protocol if every else "unseen"
    machines = sorted({machine(run) for run in every})
    return Findings(
        results, reference, runs, dataset, protocol, machines, experiment.metrics
    )


def _result(
    experiment: Experiment,
    label: str,
    cells: Sequence[Cell],
    runs: Mapping[str, Sequence[RunRanks]],
    tested: Mapping[str, Difference],
    published: Mapping[str, Mapping[str, float]],
) -> Result:
    own = runs.get(label, [])
    metrics = {
        metric: estimate(np.stack([user_values(run.ranks, metric) for run in own]))
        for metric in experiment.metrics
        if own
    }
    written = [read_json(cell.run_dir / "metrics.json") for cell in cells]
    return Result(
        label,
        len(own),
        metrics,
        tested.get(label),
        published.get(label, {}),
        own[0].settings if own else experiment.rows[label],
        written[0].get("parameters") if written else None,
        float(np.mean([m["seconds"] for m in written])) if written else None,
        processor_seconds(own),
    )


def processor_seconds(runs: Sequence[RunRanks]) -> float | None:
    """Returns the mean seconds that trainings took over all cores, as recorded with
    their last epochs; None for counted models."""
    histories = [read_epochs(run.path) for run in runs]
    last = [epochs[-1] for epochs in histories if epochs]
    if not last or any("processor_seconds" not in epoch for epoch in last):
        return None
    return float(np.mean([epoch["processor_seconds"] for epoch in last]))


def machine(run: RunRanks) -> str:
    """Says in words what trained a run."""
    environment = read_json(run.path / "environment.json")
    devices = ", ".join(environment.get("devices", []))
    packages = environment.get("packages", {})
    return (
        f"{environment.get('platform')}, {environment.get('cores')} cores, {devices}, "
        f"TensorFlow {packages.get('tensorflow')}"
    )


def marked(found: Findings) -> dict[str, str]:
    """Returns "best" and "second" by label, where that is beyond chance: their
    difference from each lower row is significant over users and, if several seeds of
    both were run, over seeds."""
    values, first_of = _distinct(found.runs, found.metrics[0])
    ordered = sorted(values, key=lambda label: -values[label].mean())
    marks: dict[str, str] = {}
    for mark in ("best", "second"):
        if len(ordered) < 2:
            break
        # Which one is best is only known after looking, so correct for all pairs.
        _, tested = differences({label: values[label] for label in ordered})
        chances = [
            p for d in tested.values() for p in (d.p_users, d.p_seeds) if p is not None
        ]
        if max(chances) >= _LEVEL:
            break
        marks[ordered.pop(0)] = mark
    return {label: marks[of] for label, of in first_of.items() if of in marks}


def _distinct(
    runs: Mapping[str, Sequence[RunRanks]], metric: str
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Rows of a grid may be one training, which is not compared with itself. Returns
    the metric [seeds, users] of each first row with its runs, and for each label, the
    label of that row."""
    rows: dict[tuple[Path, ...], str] = {}
    first_of = {
        label: rows.setdefault(tuple(run.path for run in of_row), label)
        for label, of_row in runs.items()
    }
    values = {
        label: np.stack([user_values(run.ranks, metric) for run in runs[label]])
        for label in rows.values()
    }
    return values, first_of

"""What the runs of an experiment show, as tables of numbers and text."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from emkd_tf.atomic_files import read_json
from emkd_tf.evaluation.comparison import (
    Difference,
    Estimate,
    differences,
    estimate,
    user_values,
)
from emkd_tf.evaluation.run_ranks import RunRanks, read_run, require_comparable
from emkd_tf.evaluation.text_tables import TextTable
from emkd_tf.experiments.cost import machine, processor_seconds
from emkd_tf.experiments.grid import Cell, Experiment

_NOT_RUN = "not run"
_LEVEL = 0.05


@dataclasses.dataclass(frozen=True)
class Result:
    """What the finished runs of a row show.

    Attributes:
        label: of the row.
        seeds: finished runs.
        metrics: by name, the mean over users and seeds with its intervals.
        difference: of the first metric to the row compared with; None for that row.
        published: the source's values by metric.
        settings: of the first run, by flat name.
        parameters: weights that are trained.
        seconds: of a training by the clock, mean over seeds.
        processor_seconds: of a training over all cores, likewise; None of a model that
            is counted.
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
        metrics: of the experiment; the first one is tested.
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
        InputError: runs that rank other users or items than the others.
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
    first = experiment.metrics[0]
    values = {
        label: np.stack([user_values(run.ranks, first) for run in of_row])
        for label, of_row in runs.items()
    }
    reference: str | None = None
    tested: Mapping[str, Difference] = {}
    if len(values) > 1:
        baseline = experiment.baseline if experiment.baseline in values else None
        reference, tested = differences(values, baseline)
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


def marked(found: Findings) -> dict[str, str]:
    """Returns "best" and "second" by label, where they are so beyond chance: their
    difference over users to each one behind is significant."""
    metric = found.metrics[0]
    values = {
        label: np.stack([user_values(run.ranks, metric) for run in runs])
        for label, runs in found.runs.items()
    }
    ordered = sorted(values, key=lambda label: -values[label].mean())
    marks = {}
    for mark in ("best", "second"):
        if len(ordered) < 2:
            break
        # Which one is best is known only after looking: corrected for all pairs.
        _, tested = differences({label: values[label] for label in ordered})
        if max(difference.p_users for difference in tested.values()) >= _LEVEL:
            break
        marks[ordered.pop(0)] = mark
    return marks


def table(experiment: Experiment, found: Findings) -> TextTable:
    """Returns the table: the source's values beside ours."""
    marks = marked(found)
    first = experiment.metrics[0]
    header = ["row"]
    published = {metric for result in found.results for metric in result.published}
    for metric in experiment.metrics:
        header += [f"{metric} published"] * (metric in published) + [metric]
    header += [f"{first} to {found.reference or 'the best'}", "p"]
    header += ["seeds", "parameters", "CPU seconds", "seconds"]
    rows = []
    for result in found.results:
        cells = [result.label]
        for metric in experiment.metrics:
            if metric in published:
                known = result.published.get(metric)
                cells.append("" if known is None else f"{known:.4f}")
            cells.append(_estimated(result, metric))
        cells += _compared(result)
        cells[header.index(first)] += {"best": " **", "second": " *"}.get(
            marks.get(result.label, ""), ""
        )
        cells.append(str(result.seeds))
        counts = (result.parameters, result.processor_seconds, result.seconds)
        cells += ["" if count is None else f"{count:,.0f}" for count in counts]
        rows.append(cells)
    return TextTable(f"{experiment.title}: {found.dataset}, test", header, rows)


def _estimated(result: Result, metric: str) -> str:
    if metric not in result.metrics:
        return _NOT_RUN
    found = result.metrics[metric]
    low, high = found.over_users
    text = f"{found.mean:.4f} ±{(high - low) / 2:.4f}"
    if found.over_seeds:
        low, high = found.over_seeds
        text += f" (seeds ±{(high - low) / 2:.4f})"
    return text


def _compared(result: Result) -> list[str]:
    if result.difference is None:
        return ["", ""]
    p = result.difference.p_users
    return [f"{result.difference.mean:+.4f}", "<0.0001" if p < 1e-4 else f"{p:.4f}"]


def frame(found: Findings) -> pl.DataFrame:
    """Returns every number in full: a row for each row and metric."""
    rows = [
        {
            "dataset": found.dataset,
            "row": result.label,
            "seeds": result.seeds,
            "metric": metric,
            "published": result.published.get(metric),
            **_bounds(result.metrics.get(metric)),
            "parameters": result.parameters,
            "processor_seconds": result.processor_seconds,
            "seconds": result.seconds,
        }
        for result in found.results
        for metric in found.metrics
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _bounds(value: Estimate | None) -> dict[str, float | None]:
    users, seeds = (value.over_users, value.over_seeds) if value else (None, None)
    return {
        "value": value.mean if value else None,
        "users_low": users and users.low,
        "users_high": users and users.high,
        "seeds_low": seeds and seeds.low,
        "seeds_high": seeds and seeds.high,
    }

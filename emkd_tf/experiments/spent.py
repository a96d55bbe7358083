"""What was spent on each row of an experiment, and what it was given."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emkd_tf.atomic_files import read_json
from emkd_tf.evaluation.metrics import SELECTION_METRIC, user_values
from emkd_tf.evaluation.run_ranks import RunRanks, read_run
from emkd_tf.evaluation.text_tables import TextTable
from emkd_tf.experiments.report import Findings
from emkd_tf.run_reading import read_epochs

_PROTOCOLS = ("unseen", "window", "all")


def spent(found: Findings) -> TextTable:
    """Returns for each row both splits, every protocol and the training it took, as
    means over seeds."""
    header = ["row", "validation", *(f"test, {name}" for name in _PROTOCOLS)]
    header += ["epochs", "best epoch", "examples", "seconds"]
    rows = []
    for result in found.results:
        runs = found.runs.get(result.label, [])
        if not runs:
            rows.append([result.label, "not run", *[""] * (len(header) - 2)])
            continue
        splits = [("validation", found.protocol), *(("test", p) for p in _PROTOCOLS)]
        cells = [f"{_mean(runs, *split):.4f}" for split in splits]
        last = [history[-1] for run in runs if (history := last_epochs(run))]
        epochs = _length(runs[0].settings) if last else "counted"
        if last:
            epochs = f"{np.mean([x['epoch'] for x in last]):.0f} ({epochs} given)"
        best = [float(metrics_of(run).get("best_epoch", 0)) for run in runs]
        examples = [_examples(run) for run in runs]
        rows.append(
            [
                *(result.label, *cells, epochs),
                f"{np.mean(best):.0f}" if last else "",
                f"{np.mean(examples):,.0f}" if last else "",
                f"{result.seconds or 0.0:,.0f}",
            ]
        )
    title = f"Both splits and what was spent, {SELECTION_METRIC}"
    return TextTable(title, header, rows)


def _length(settings: Mapping[str, Any]) -> str:
    """Returns the epochs that a training was given, or the steps that determine
    them."""
    epochs = settings.get("epochs")
    return f"{settings.get('steps'):,} steps" if epochs == 0 else str(epochs)


def budget_of(run: RunRanks) -> str:
    """Says in words what a training was given: steps, or epochs with what an epoch is,
    as rows differ in what they make of the same data."""
    settings, stages = run.settings, _stages(run)
    size = settings.get("batch_size")
    if settings.get("epochs") == 0:
        words = f"{_counted(settings.get('steps') or 0, 'step')} of batches of {size}"
    else:
        epochs = _counted(settings.get("epochs") or 0, "epoch")
        words = f"{epochs} of {_batches(stages[-1:])} of {size}"
    if len(stages) > 1:
        epochs = _counted(settings.get("pretrain_epochs") or 0, "pre-training epoch")
        size = settings.get("pretrain_batch_size")
        words += f" after {epochs} of {_batches(stages[-2:-1])} of {size}"
    return words


def _batches(stages: Sequence[Sequence[Mapping[str, Any]]]) -> str:
    """Says how many batches an epoch of a training had, according to its history."""
    last = [of_stage[-1] for of_stage in stages]
    return ", ".join(_counted(x["step"] // x["epoch"], "batch", "es") for x in last)


def _counted(number: int, name: str, ending: str = "s") -> str:
    return f"{number:,} {name}{ending if number != 1 else ''}"


def _stages(run: RunRanks) -> list[list[dict[str, Any]]]:
    """Returns the epochs of each training of the run; none for a counted model."""
    groups = itertools.groupby(read_epochs(run.path), key=lambda row: row.get("stage"))
    return [list(of_stage) for _, of_stage in groups]


def last_epochs(run: RunRanks) -> list[dict[str, Any]]:
    """Returns the epochs of the run's last training; none for a counted model."""
    stages = _stages(run)
    return stages[-1] if stages else []


def _examples(run: RunRanks) -> float:
    """Returns the training rows of all steps, including pre-training."""
    sizes = [
        run.settings.get(key) or 0 for key in ("pretrain_batch_size", "batch_size")
    ]
    stages = _stages(run)[-2:]
    return sum(
        of_stage[-1]["step"] * size
        for of_stage, size in zip(reversed(stages), reversed(sizes), strict=False)
    )


def _mean(runs: Sequence[RunRanks], split: str, protocol: str) -> float:
    ranks = [read_run(run.path, split, protocol).ranks for run in runs]
    return float(np.mean([user_values(of, SELECTION_METRIC).mean() for of in ranks]))


def metrics_of(run: RunRanks) -> dict[str, Any]:
    """Returns what a run wrote about its quality."""
    return read_json(run.path / "metrics.json")

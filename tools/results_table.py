"""Writes the tables of docs/results.md from the runs kept in docs/results.

python tools/results_table.py

A run is kept as `NAME.json`, its `metrics.json`, and `NAME-history.jsonl`;
`runs.yaml` holds its command and its machine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from emkd_tf.config.model_table import BASELINE, MODELS
from emkd_tf.evaluation.statistics import seeds_interval

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE, RUNS = DOCS / "results.md", DOCS / "results"
_BEGIN = "<!-- python tools/results_table.py -->\n"
_END = "<!-- end of the table -->\n"
_OF_SEEDS = ("NDCG@10", "HR@10")
_SEEDS_HEADER = (
    "| dataset | test NDCG@10 | test HR@10 | seeds | command, with several `--seed` |\n"
    "|---|---|---|---|---|\n"
)
_HEADER = (
    "| dataset | model | validation NDCG@10 | test NDCG@10 | test HR@10 | "
    "networks alone | best epoch | CPU seconds | command | machine |\n"
    "|---|---|---|---|---|---|---|---|---|---|\n"
)


def kept_runs() -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Returns what `runs.yaml` says about each run, and its metrics, by name."""
    runs = yaml.safe_load((RUNS / "runs.yaml").read_text(encoding="utf-8"))
    return runs, {n: json.loads((RUNS / f"{n}.json").read_text()) for n in runs}


def table() -> str:
    """Returns a row for each run, best first, and one per dataset for popularity."""
    runs, kept = kept_runs()
    order = sorted(kept, key=lambda n: (kept[n]["dataset"], -_ndcg(kept[n]["test"])))
    rows = [_row(kept[name], _history(name), **runs[name]) for name in order]
    popular = {m["dataset"]: m[BASELINE] for m in kept.values()}
    for dataset, metrics in popular.items():
        title = MODELS[BASELINE].title
        told = f"{_ndcg(metrics):.4f} | {metrics['HR@10']:.4f}"
        rows.append(f"| {dataset} | {title} | | {told} | | | | in every run | |\n")
    return _HEADER + "".join(rows)


def seeds_table() -> str:
    """Returns a row for each command run with several seeds: mean and 95 % interval
    over seeds, by Student's t."""
    runs, kept = kept_runs()
    by_command: dict[str, list[dict[str, Any]]] = {}
    for name, run in runs.items():
        command = re.sub(r" --seed \d+", "", run["command"])
        by_command.setdefault(command, []).append(kept[name])
    rows = []
    for command, seeds in by_command.items():
        if len(seeds) > 1:
            cells = [interval([m["test"][key] for m in seeds]) for key in _OF_SEEDS]
            cells += [str(len(seeds)), f"`{command}`"]
            rows.append(f"| {seeds[0]['dataset']} | {' | '.join(cells)} |\n")
    return _SEEDS_HEADER + "".join(rows)


def interval(values: Sequence[float]) -> str:
    """Returns mean and half the width of the 95 % interval of several values."""
    mean, found = np.mean(values), seeds_interval(np.array(values))
    assert found is not None  # a single value has none
    return f"{mean:.4f} ± {found.high - mean:.4f}"


def _ndcg(metrics: dict[str, float]) -> float:
    return metrics["NDCG@10"]


def _history(name: str) -> list[dict[str, Any]]:
    text = (RUNS / f"{name}-history.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def _row(
    metrics: dict[str, Any],
    history: list[dict[str, Any]],
    *,
    command: str,
    machine: str,
    processor_seconds: int | None = None,
) -> str:
    """Returns a row.

    Args:
        metrics, history: of the run.
        command, machine: as they are shown.
        processor_seconds: measured from outside, for a run whose history has none.
    """
    model = MODELS.get(metrics["model"].lower())
    networks = sorted(map(_ndcg, metrics["test_by_network"].values()))
    seconds = history[-1].get("processor_seconds", processor_seconds)
    cells = [
        metrics["dataset"],
        model.title if model else metrics["model"],
        f"{_ndcg(metrics['validation']):.4f}",
        f"{_ndcg(metrics['test']):.4f}",
        f"{metrics['test']['HR@10']:.4f}",
        f"{networks[0]:.4f} to {networks[-1]:.4f}" if len(networks) > 1 else "",
        f"{metrics['best_epoch']} of {history[-1]['epoch']}",
        "" if seconds is None else f"{seconds:,.0f}",
        f"`{command}`",
        machine,
    ]
    return f"| {' | '.join(cells)} |\n"


def page(text: str) -> str:
    """Returns the page with its tables replaced by current ones."""
    before, _, rest = text.partition(_BEGIN)
    after = rest.partition(_END)[2]
    return f"{before}{_BEGIN}\n{table()}\n{seeds_table()}\n{_END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

"""What a strict reader asks of a comparison: how each row's model was chosen, what it
was given, what the data is like, and which controls it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from emkd_tf.atomic_files import read_json
from emkd_tf.config import to_flat
from emkd_tf.config.model_table import BASELINE, DEFAULT_MODEL, MODELS, unread
from emkd_tf.evaluation.metrics import SELECTION_METRIC, user_values
from emkd_tf.evaluation.run_ranks import RunRanks
from emkd_tf.evaluation.text_tables import TextTable
from emkd_tf.experiments.cells import Cell
from emkd_tf.experiments.report import Findings
from emkd_tf.experiments.spent import budget_of, last_epochs, metrics_of

_WIDE = 256
_ENOUGH_SEEDS = 3
_TOLERANCE = 1e-6  # of a metric that is computed twice

Settings = Mapping[str, Any]


def checks(found: Findings) -> list[str]:
    """Returns a line for each check, with what it found."""
    runs = [run for of_row in found.runs.values() for run in of_row]
    if not runs:
        return []
    return [
        _selection(runs),
        _unread_test(runs),
        _agreement(runs),
        _data(runs[0]),
        _budgets(found),
        _seeds(found),
        _popularity(runs),
    ]


def ladder(found: Findings, cells: Sequence[Cell]) -> TextTable | None:
    """Returns the controls that a table should have, and which of its rows they are;
    None if no row is one, as when a figure by a setting compares a model with
    itself."""
    settings = {cell.label: _settings(cell) for cell in cells}
    rows, has_any = [], False
    for control, is_one in _CONTROLS.items():
        labels = [label for label, own in settings.items() if is_one(own)]
        has_any = has_any or bool(labels)
        ran = [x if found.runs.get(x) else f"{x} (not run)" for x in labels]
        rows.append([control, ", ".join(ran) or "none in this experiment"])
    if not has_any:
        return None
    return TextTable("Controls", ["control", "rows"], rows)


def _settings(cell: Cell) -> dict[str, Any]:
    preset = [a.partition("=")[2] for a in cell.arguments if a.startswith("--preset=")]
    flat = to_flat(cell.config)
    ignored = unread(flat["model"], flat["task"])

    def is_on(switch: str, weight: str | None = None) -> bool:
        return switch not in ignored and flat[switch] and (not weight or flat[weight])

    return {
        "preset": preset[-1] if preset else None,
        "model": flat["model"],
        "width": flat["hidden_units"],
        "order": flat["history_order"],
        "networks": flat["num_networks"] if MODELS[flat["model"]].is_trained else 0,
        "exchange": is_on("distillation", "distillation_weight")
        or is_on("cross_contrast", "contrast_weight"),
        "attributes": is_on("attribute_embeddings")
        or is_on("attribute_prediction", "attribute_weight"),
    }


def _is_baseline(own: Settings) -> bool:
    """Tells whether a trained model is one that ours is compared with."""
    return own["model"] != DEFAULT_MODEL and MODELS[own["model"]].is_trained


def _is_wide(own: Settings) -> bool:
    return own["width"] >= _WIDE and _is_baseline(own)


def _fills_masks(own: Settings) -> bool:
    return "last_item_rows" in MODELS[own["model"]].reads


_CONTROLS: dict[str, Callable[[Settings], bool]] = {
    "simple models": lambda own: not MODELS[own["model"]].is_trained,
    "baselines as published": lambda own: (
        own["preset"] == "paper" and _is_baseline(own)
    ),
    "baselines with preset fair": lambda own: (
        own["preset"] in ("fair", "cpu") and _is_baseline(own)
    ),
    f"width: a baseline of next items at d >= {_WIDE}": lambda own: (
        _is_wide(own) and not _fills_masks(own)
    ),
    f"width: a baseline of masks at d >= {_WIDE}": lambda own: (
        _is_wide(own) and _fills_masks(own)
    ),
    "ensemble: several networks without exchange": lambda own: (
        own["networks"] > 1 and not own["exchange"]
    ),
    f"attributes: one network of {MODELS[DEFAULT_MODEL].title}": lambda own: (
        own["model"] == DEFAULT_MODEL and own["networks"] == 1 and own["attributes"]
    ),
    "order: histories shuffled": lambda own: own["order"] == "random",
}


def _selection(runs: Sequence[RunRanks]) -> str:
    trained = [(run, history) for run in runs if (history := last_epochs(run))]
    key = f"validation/{SELECTION_METRIC}"
    good = 0
    for run, history in trained:
        values = {line["epoch"]: line[key] for line in history if key in line}
        best = metrics_of(run).get("best_epoch")
        good += best in values and values[best] == max(values.values())
    return (
        f"Selection: in {good} of {len(trained)} trained runs the evaluated epoch is "
        f"the one of the best validation {SELECTION_METRIC}."
    )


def _unread_test(runs: Sequence[RunRanks]) -> str:
    lines = [line for run in runs for line in last_epochs(run)]
    seen = sum(any(key.startswith("test") for key in line) for line in lines)
    return (
        f"Test: {seen} of {len(lines)} epochs wrote anything of it; it was ranked "
        "after the last one."
    )


def _agreement(runs: Sequence[RunRanks]) -> str:
    told = [metrics_of(run) for run in runs]
    checked = [m["tfrs"]["contradictions"] for m in told if "tfrs" in m]
    equal = 0
    for run, metrics in zip(runs, told, strict=True):
        again = user_values(run.ranks, SELECTION_METRIC).mean()
        equal += abs(again - metrics["test"][SELECTION_METRIC]) < _TOLERANCE
    return (
        f"Metrics: the lists of TensorFlow Recommenders contradict the ranks of "
        f"{sum(checked)} users of {len(checked)} runs; the metrics of {equal} of "
        f"{len(runs)} runs follow from the saved ranks."
    )


def _data(run: RunRanks) -> str:
    counts = read_json(run.path / "dataset.json")
    known = ", ".join(
        f"{counts[key]:,} {key}"
        for key in ("users", "items", "actions")
        if key in counts
    )
    columns = run.columns
    targets = f"of {len(columns):,} test targets"
    if "is_repeat" in columns.columns:
        repeats = int(columns["is_repeat"].sum())
        new = int(columns.select((pl.col("target_count") == 0).sum()).item())
        targets += (
            f" {repeats:,} repeat an item of their history and {new:,} are of items "
            "that no training history has"
        )
    repeated = (
        f", {counts['repeats']:,} repeated actions" if "repeats" in counts else ""
    )
    return f"Data: {known}{repeated}; {targets}."


def _budgets(found: Findings) -> str:
    every = [run for runs in found.runs.values() for run in runs]
    given = {budget_of(run) for run in every if last_epochs(run)}
    listed = "; ".join(sorted(given))
    same = "the same for all trained rows" if len(given) == 1 else "they differ"
    return (
        f"Budgets: {same}: {listed or 'none'}; what was used of them is in the table."
    )


def _seeds(found: Findings) -> str:
    counts = sorted({len(runs) for runs in found.runs.values()})
    text = f"Seeds: {' or '.join(map(str, counts))} a row"
    if counts[0] < _ENOUGH_SEEDS:
        text += f"; fewer than {_ENOUGH_SEEDS} say little about other seeds"
    return f"{text}."


def _popularity(runs: Sequence[RunRanks]) -> str:
    metrics = next((m for run in runs if BASELINE in (m := metrics_of(run))), None)
    if metrics is None:
        return "Popularity: not evaluated."
    value = metrics[BASELINE][SELECTION_METRIC]
    title = MODELS[BASELINE].title
    return f"Popularity: {title} has a test {SELECTION_METRIC} of {value:.4f} here."

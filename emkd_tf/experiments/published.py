"""A source's values, shown next to ours in an experiment's report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from emkd_tf.config import nearest
from emkd_tf.errors import InputError

# What is counted in a dataset, and the only value of such a row.
COUNTS = ("users", "items", "actions", "attributes", "actions per user", "sparsity")
COUNT = "value"
MILLIONS = "M"  # of weights

Published = dict[str, dict[str, dict[str, Any]]]


def read_published(
    path: Path,
    values: Mapping[str, Any],
    kind: str,
    datasets: Sequence[str],
    rows: Iterable[str],
    metrics: Sequence[str],
) -> Published:
    """Returns an experiment's published values by dataset, row and metric.

    Args:
        path: of the experiment, for error messages.
        values: its content.
        kind, datasets, rows, metrics: of the experiment.

    Raises:
        InputError: they are for something that the experiment does not have, or not
            numbers.
    """
    if kind == "counts":
        rows, metrics = COUNTS, [COUNT]
    elif kind == "parameters":
        metrics = [MILLIONS]
    found = {
        dataset: {
            row: _by_name(path, f"{dataset}, {row}", of_row, metrics)
            for row, of_row in _by_name(path, dataset, of_dataset, rows).items()
        }
        for dataset, of_dataset in _by_name(
            path, "", values.get("published") or {}, datasets
        ).items()
    }
    for dataset, of_dataset in found.items():
        for row, known in of_dataset.items():
            for metric, value in known.items():
                _require_number(path, f"{dataset}, {row}, {metric}", value, kind)
    return found


def _by_name(
    path: Path, where: str, values: Any, known: Iterable[str]
) -> dict[str, Any]:
    """Returns what a mapping holds by name; every name is known."""
    place = f"`published`{where and f' of {where}'}"
    if not isinstance(values, dict) or (where and not values):
        raise InputError(
            f"{path}: {place} must hold `name: value` lines, as "
            "published: {dataset: {row: {NDCG@10: 0.05}}}."
        )
    for name in map(str, values):
        if name not in tuple(known):
            hint = nearest(name, known)
            raise InputError(f"{path}: {place} has the unknown {name!r}. {hint}")
    return {str(name): value for name, value in values.items()}


def _require_number(path: Path, where: str, value: Any, kind: str) -> None:
    kinds = (int, float, str) if kind == "counts" else (int, float)  # "22,363"
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise InputError(
            f"{path}: `published` of {where} must be a number, got {value!r}."
        )

"""What the trainings of an experiment took, and on which machine."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from emkd_tf.atomic_files import read_json
from emkd_tf.evaluation.run_ranks import RunRanks


def processor_seconds(runs: Sequence[RunRanks]) -> float | None:
    """Returns the mean of what trainings took over all cores, as their last epochs have
    it; None of models that are counted."""
    histories = [run.path / "history.jsonl" for run in runs]
    lines = [
        json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
        for path in histories
        if path.exists()
    ]
    if not lines or any("processor_seconds" not in line for line in lines):
        return None
    return float(np.mean([line["processor_seconds"] for line in lines]))


def machine(run: RunRanks) -> str:
    """Says in words what trained a run."""
    environment = read_json(run.path / "environment.json")
    devices = ", ".join(environment.get("devices", []))
    packages = environment.get("packages", {})
    return (
        f"{environment.get('platform')}, {environment.get('cores')} cores, {devices}, "
        f"TensorFlow {packages.get('tensorflow')}"
    )

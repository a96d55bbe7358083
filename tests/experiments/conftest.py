"""Finished runs of an experiment of two rows, with ranks that tests know."""

import json

import numpy as np
import pytest
import yaml
from experiment_runs import change, ndcg

from emkd_tf.experiments.cells import cells
from emkd_tf.experiments.grid import read_experiment

USERS = 400


@pytest.fixture
def grid(tmp_path):
    """An experiment of two rows on a log that no one reads."""
    path = tmp_path / "mine.yaml"
    content = {
        "title": "Mine",
        "x": "hidden_units",
        "rows": {"small": {"hidden_units": 8}, "large": {"hidden_units": 64}},
        "base": {"model": "sasrec"},
        "published": {"sample": {"small": {"NDCG@10": 0.25}}},
    }
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return read_experiment(str(path))


@pytest.fixture
def planned(grid, tmp_path):
    """Its trainings, with two seeds."""
    return cells(grid, "sample", seeds=2, flags=[f"--runs-dir={tmp_path / 'runs'}"])


@pytest.fixture
def finish(saved_run, tmp_path):
    """Returns a function that writes a cell's run: ranks of users, from 1."""

    def write(cell, ranks, seconds=10.0):
        own = {"name": "sample", "model": cell.config.model.model}
        settings = {
            "hidden_units": cell.config.model.hidden_units,
            "seed": cell.seed,
        }
        path = saved_run(f"runs/{cell.run_dir.name}", ranks, own=own, settings=settings)
        metrics = json.loads((path / "metrics.json").read_text())
        metrics |= {"seconds": seconds, "parameters": 123, "test": {"NDCG@10": 0.5}}
        (path / "metrics.json").write_text(json.dumps(metrics))
        history = [
            {"epoch": n, "step": n, "processor_seconds": n * seconds} for n in (1, 2)
        ]
        lines = "".join(json.dumps(line) + "\n" for line in history)
        (path / "history.jsonl").write_text(lines)
        environment = {"platform": "Linux", "cores": 2, "devices": ["/device:CPU:0"]}
        (path / "environment.json").write_text(json.dumps(environment))
        return path

    return write


@pytest.fixture
def finished(planned, finish):
    """All four runs, the large model better, with the ranks of each."""
    rng = np.random.default_rng(0)
    ranks = {}
    for cell in planned:
        worst = 40 if cell.label == "small" else 15
        ranks[cell.label, cell.seed] = rng.integers(1, worst, size=USERS)
        finish(cell, ranks[cell.label, cell.seed], seconds=10.0 + cell.seed)
    return ranks


@pytest.fixture
def runs(planned, finished):
    """The runs as a training leaves them; the epoch of the second one is not its
    best."""
    for cell in planned:
        test = {"NDCG@10": ndcg(finished[cell.label, cell.seed])}
        best = 2 if cell is not planned[1] else 3
        change(cell.run_dir / "metrics.json", test=test, best_epoch=best)
        lines = [
            {"epoch": epoch, "step": 5 * epoch, "validation/NDCG@10": value}
            for epoch, value in enumerate((0.1, 0.3, 0.2), 1)
        ]
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (cell.run_dir / "history.jsonl").write_text(text)
        config = cell.run_dir / "config.yaml"
        config.write_text(config.read_text() + "batch_size: 7\n")
    return [cell.run_dir for cell in planned]

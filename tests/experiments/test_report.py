"""What the runs of an experiment show: the best of them, and what they took."""

import dataclasses
import json

import numpy as np
import pytest

from emkd_tf.evaluation.run_ranks import read_run
from emkd_tf.experiments.report import findings, machine, marked, processor_seconds

USERS = 400


def test_the_best_is_marked_only_beyond_chance(grid, planned, finish):
    rng = np.random.default_rng(1)
    one = rng.integers(1, 30, size=400)
    for cell in planned:
        if cell.seed == 0:
            again = rng.permutation(one) if cell.label == "large" else one
            finish(cell, again)
    assert marked(findings(grid, "sample", planned)) == {}


def test_seeds_that_disagree_mark_nothing(grid, planned, finish):
    """Over users the means of two seeds differ beyond chance, over seeds not."""
    rng = np.random.default_rng(1)
    worst = {("small", 0): 20, ("small", 1): 20, ("large", 0): 8, ("large", 1): 19}
    for cell in planned:
        finish(cell, rng.integers(1, worst[cell.label, cell.seed], size=USERS))
    found = findings(grid, "sample", planned)
    (difference,) = (r.difference for r in found.results if r.difference)
    assert difference.p_users < 1e-4
    assert difference.p_seeds > 0.05
    assert marked(found) == {}


def test_one_training_of_two_rows_is_not_compared_with_itself(grid, planned, finish):
    rng = np.random.default_rng(1)
    for cell in planned:
        if cell.seed == 0:
            finish(
                cell, rng.integers(1, 9 if cell.label == "large" else 20, size=USERS)
            )
    alone = findings(grid, "sample", planned)
    rows = {**grid.rows, "again": grid.rows["large"]}
    twice = [
        *planned,
        *(
            dataclasses.replace(cell, label="again")
            for cell in planned
            if cell.label == "large"
        ),
    ]
    for baseline in (grid.baseline, "again"):
        grid = dataclasses.replace(grid, rows=rows, baseline=baseline)
        found = findings(grid, "sample", twice)
        assert marked(alone) == {"large": "best"}
        assert marked(found) == {"large": "best", "again": "best"}
        (before,) = (r.difference.p_users for r in alone.results if r.difference)
        after = {r.difference.p_users for r in found.results if r.difference}
        assert after == {before}
        assert found.reference == (baseline or "large")


def test_nothing_is_finished(grid, planned):
    assert marked(findings(grid, "sample", planned)) == {}


@pytest.fixture
def two_seeds(planned, finished):
    """Two seeds, whose last epochs came after 20 and after 22 processor seconds."""
    return [read_run(cell.run_dir, "test") for cell in planned[:2]]


def test_the_last_epoch_has_what_a_training_took(two_seeds):
    assert processor_seconds(two_seeds) == 21.0
    assert processor_seconds(two_seeds[:1]) == 20.0


def test_a_counted_model_took_nothing_that_is_known(two_seeds):
    for run in two_seeds:
        (run.path / "history.jsonl").unlink()
    assert processor_seconds(two_seeds) is None
    assert processor_seconds([]) is None


def test_a_history_without_processor_seconds_is_not_half_counted(two_seeds):
    (two_seeds[0].path / "history.jsonl").write_text(json.dumps({"epoch": 1}) + "\n")
    assert processor_seconds(two_seeds) is None


def test_the_machine_is_said_in_words(two_seeds):
    assert machine(two_seeds[0]).startswith(
        "Linux, 2 cores, /device:CPU:0, TensorFlow "
    )

"""What was spent on the rows of an experiment, against the files of the runs."""

import numpy as np
import polars as pl
from experiment_runs import ndcg, two_stages

from emkd_tf.experiments.report import findings
from emkd_tf.experiments.spent import spent


def test_both_splits_and_every_protocol_are_means_over_seeds(grid, planned, runs):
    table = spent(findings(grid, "sample", planned))
    assert table.header[:5] == (
        ["row", "validation", "test, unseen", "test, window", "test, all"]
    )
    for row, label in zip(table.rows, ("small", "large"), strict=True):
        own = [cell.run_dir for cell in planned if cell.label == label]
        users = [pl.read_parquet(run / "per_user.parquet") for run in own]
        for cell, column in zip(
            row[1:5],
            ("validation_unseen", "test_unseen", "test_window", "test_all"),
            strict=True,
        ):
            expected = np.mean([ndcg(of[column].to_numpy()) for of in users])
            assert cell == f"{expected:.4f}"
        assert row[5] == "3 (3 given)"
        assert row[7] == "105"  # 15 steps of 7


def test_the_examples_of_a_pre_training_count(grid, planned, runs):
    for cell in planned:
        if cell.label == "small":
            two_stages(cell.run_dir)
    rows = spent(findings(grid, "sample", planned)).rows
    assert [row[7] for row in rows] == ["129", "105"]  # 6 steps of 4 more
    assert rows[0][5] == "3 (3 given)"


def test_what_did_not_run_is_said(grid, planned):
    rows = spent(findings(grid, "sample", planned)).rows
    assert [row[1] for row in rows] == ["not run", "not run"]

"""What a strict reader asks of a report, against the files of the runs."""

import json

import polars as pl
import pytest
import yaml
from experiment_runs import change, two_stages

from emkd_tf.experiments.cells import cells
from emkd_tf.experiments.fairness import checks, ladder
from emkd_tf.experiments.grid import read_experiment
from emkd_tf.experiments.report import findings


def line(found, name):
    (text,) = [line for line in checks(found) if line.startswith(f"{name}: ")]
    return text


def test_the_epoch_of_the_best_validation_is_looked_for(grid, planned, runs):
    found = findings(grid, "sample", planned)
    assert "in 3 of 4 trained runs" in line(found, "Selection")


def test_a_test_that_was_read_during_the_training_is_told(grid, planned, runs):
    found = findings(grid, "sample", planned)
    assert line(found, "Test").startswith("Test: 0 of 12 epochs")
    with (runs[0] / "history.jsonl").open("a") as history:
        history.write('{"epoch": 4, "step": 20, "test/NDCG@10": 0.4}\n')
    assert line(found, "Test").startswith("Test: 1 of 13 epochs")


def test_metrics_that_the_ranks_do_not_give_are_told(grid, planned, runs):
    found = findings(grid, "sample", planned)
    assert "the metrics of 4 of 4 runs follow" in line(found, "Metrics")
    change(runs[2] / "metrics.json", test={"NDCG@10": 0.9})
    change(runs[3] / "metrics.json", tfrs={"contradictions": 3})
    assert "the ranks of 3 users of 1 runs" in line(found, "Metrics")
    assert "the metrics of 3 of 4 runs follow" in line(found, "Metrics")


def test_budgets_that_differ_are_told(grid, planned, runs):
    found = findings(grid, "sample", planned)
    expected = "the same for all trained rows: 3 epochs of 5 batches of 7; "
    assert expected in line(found, "Budgets")
    config = runs[0] / "config.yaml"
    config.write_text(config.read_text().replace("epochs: 3", "epochs: 9"))
    found = findings(grid, "sample", planned)
    assert "they differ: 3 epochs of 5 batches of 7; 9 epochs" in line(found, "Budgets")


def test_pre_training_is_a_part_of_a_budget(grid, planned, runs):
    two_stages(runs[0])
    told = line(findings(grid, "sample", planned), "Budgets")
    assert "batches of 7 after 2 pre-training epochs of 3 batches of 4" in told


def test_epochs_of_more_examples_are_another_budget(grid, planned, runs):
    """As `rows` and `window_step` make them of the same data."""
    history = runs[0] / "history.jsonl"
    lines = [json.loads(line) for line in history.open()]
    texts = [json.dumps({**line, "step": 8 * line["epoch"]}) for line in lines]
    history.write_text("\n".join(texts) + "\n")
    told = line(findings(grid, "sample", planned), "Budgets")
    assert "they differ: 3 epochs of 5 batches of 7; 3 epochs of 8 batches" in told


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("epochs: 1", "1 epoch of 5 batches of 7"),
        ("epochs: 0\nsteps: 2000", "2,000 steps of batches of 7"),
        ("epochs: 0\nsteps: 1", "1 step of batches of 7"),
    ],
)
def test_a_budget_in_words(settings, words, grid, planned, runs):
    config = runs[0] / "config.yaml"
    config.write_text(config.read_text().replace("epochs: 3", settings))
    told = line(findings(grid, "sample", planned), "Budgets")
    assert f"differ: {words}; 3 epochs" in told


def test_the_data_is_counted(grid, planned, runs):
    for run in runs:
        change(run / "dataset.json", users=400, items=50, actions=4000, repeats=12)
        ranks = pl.read_parquet(run / "per_user.parquet").with_columns(
            test_target=pl.lit("an item"),
            test_is_repeat=pl.int_range(400) < 30,
            test_history_length=9,
            test_target_count=pl.int_range(400) // 5,
        )
        ranks.write_parquet(run / "per_user.parquet")
    found = findings(grid, "sample", planned)
    assert line(found, "Data") == (
        "Data: 400 users, 50 items, 4,000 actions, 12 repeated actions; of 400 test "
        "targets 30 repeat an item of their history and 5 are of items that no "
        "training history has."
    )


def test_seeds_and_popularity_are_told(grid, planned, runs):
    found = findings(grid, "sample", planned)
    assert line(found, "Seeds") == (
        "Seeds: 2 a row; fewer than 3 say little about other seeds."
    )
    assert line(found, "Popularity") == "Popularity: not evaluated."
    change(runs[0] / "metrics.json", poprec={"NDCG@10": 0.0123})
    assert "NDCG@10 of 0.0123 here" in line(found, "Popularity")


def test_without_runs_nothing_is_claimed(grid, planned):
    found = findings(grid, "sample", planned)
    assert checks(found) == []


def test_rows_of_one_setting_have_no_controls(tmp_path):
    experiment = read_experiment("figure3")
    planned = cells(experiment, "sample", flags=[f"--runs-dir={tmp_path}"])
    assert ladder(findings(experiment, "sample", planned), planned) is None


def test_the_controls_of_a_table_are_named(tmp_path):
    rows = {
        "ours": {"model": "emkd", "preset": "quick"},
        "alone": {"model": "emkd", "preset": "quick", "num_networks": 1},
        "wide": {"model": "sasrec", "hidden_units": 256},
        "of another": {"model": "bert4rec", "hidden_units": 256},
        "sum": {"model": "sasrec", "num_networks": 3},
        "published": {"model": "gru4rec", "preset": "paper"},
        "counted": {"model": "markov", "preset": "paper"},
        "shuffled": {"model": "sasrec", "history_order": "random"},
        "tiny": {"model": "gru4rec", "preset": "smoke"},
        "of views": {"model": "mminforec", "num_networks": 3},
        "weightless": {
            **{"model": "sasrec", "num_networks": 2},
            **{"distillation": True, "distillation_weight": 0.0},
        },
        "without attributes": {
            **{"model": "emkd", "preset": "quick"},
            **{"num_networks": 1, "attribute_embeddings": False},
        },
    }
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump({"rows": rows, "preset": "fair"}, sort_keys=False))
    experiment = read_experiment(str(file))
    planned = cells(experiment, "sample", seeds=2, flags=[f"--runs-dir={tmp_path}"])
    table = ladder(findings(experiment, "sample", planned), planned)
    assert table is not None
    found = {
        row[0].partition(" at ")[0]: row[1].replace(" (not run)", "")
        for row in table.rows
    }
    assert found == {
        "simple models": "counted",
        "baselines as published": "published",
        "baselines with preset fair": (
            "wide, of another, sum, shuffled, of views, weightless"
        ),
        "width: a baseline of next items": "wide",
        "width: a baseline of masks": "of another",
        "ensemble: several networks without exchange": "sum, of views, weightless",
        "attributes: one network of EMKD": "alone",
        "order: histories shuffled": "shuffled",
    }

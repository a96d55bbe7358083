"""Trainings as processes: what is skipped, continued, failed, and out of time."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest
import yaml

from emkd_tf.experiments import processes as training_processes
from emkd_tf.experiments import runner
from emkd_tf.experiments.cells import cells
from emkd_tf.experiments.grid import read_experiment


def test_the_time_of_other_seeds_is_the_estimate(planned, finish):
    small = [cell for cell in planned if cell.label == "small"]
    finish(small[0], np.arange(1, 9), seconds=30.0)
    assert runner.estimate(planned) == {small[1].run_dir.name: 30.0}


@pytest.fixture
def processes(monkeypatch, tmp_path):
    """Puts a program of the test in the place of `emkd train`; returns what ran."""
    started = []

    def put(program):
        def start(cell, jobs):
            started.append(cell.run_dir.name)
            cell.run_dir.parent.mkdir(parents=True, exist_ok=True)
            with training_processes.log_of(cell).open("a") as log:
                return subprocess.Popen(
                    [sys.executable, "-c", program], stdout=log, stderr=log
                )

        monkeypatch.setattr(training_processes, "_start", start)
        return started

    return put


def test_finished_trainings_are_left_alone(planned, finished, processes):
    started = processes("")
    assert runner.run(planned, say=str) == []
    assert started == []


def test_a_failed_training_does_not_stop_the_others(planned, processes):
    started, said = processes("print('emkd: no such log'); raise SystemExit(2)"), []
    failed = runner.run(planned, jobs=2, say=said.append)
    assert len(failed) == len(started) == 4
    assert all("(emkd: no such log)" in line for line in failed)
    assert sum(line.startswith("begin") for line in said) == 4


def test_a_budget_ends_what_runs(planned, processes):
    started, said = processes("import time; time.sleep(60)"), []
    began = time.monotonic()
    assert runner.run(planned, budget=0.5, say=said.append) == []
    assert time.monotonic() - began < 30
    assert len(started) == 1
    assert said[-1] == "The budget is spent; 4 trainings are left."


@pytest.mark.slow
def test_a_killed_grid_is_continued_and_its_numbers_are_those_of_the_ranks(
    tiny_log, tmp_path
):
    grid = {
        "rows": {"sasrec": {"model": "sasrec"}, "gru4rec": {"model": "gru4rec"}},
        "base": {"hidden_units": 8, "epochs": 3, "max_length": 6, "batch_size": 16},
    }
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(grid))
    flags = [f"--interactions={tiny_log}", f"--runs-dir={tmp_path / 'runs'}"]
    flags.append(f"--cache-dir={tmp_path / 'cache'}")
    command = [sys.executable, "-m", "emkd_tf", "experiments"]
    what = [str(file), "--dataset=tiny", *flags, f"--output={tmp_path / 'out'}"]
    planned = cells(read_experiment(str(file)), "tiny", flags=flags)
    first, second = planned

    process = subprocess.Popen([*command, "run", *what], start_new_session=True)
    while not second.is_begun:
        assert process.poll() is None
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(120) == 130
    assert first.is_finished
    before = (first.run_dir / "metrics.json").stat().st_mtime_ns

    done = subprocess.run([*command, "run", *what], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (first.run_dir / "metrics.json").stat().st_mtime_ns == before
    table = pl.read_csv(tmp_path / "out" / "mine-tiny.csv")
    for row in table.iter_rows(named=True):
        cell = next(cell for cell in planned if cell.label == row["row"])
        ranks = pl.read_parquet(cell.run_dir / "per_user.parquet")["test_unseen"]
        ranks = ranks.to_numpy().astype(float)
        gains = 1 / np.log2(ranks + 1) if row["metric"] == "NDCG@10" else ranks**0
        expected = np.where(ranks <= 10, gains, 0).mean()
        np.testing.assert_allclose(row["value"], expected, rtol=1e-9)

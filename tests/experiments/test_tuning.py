"""Searches: what is chosen, pruned, failed, out of time, and continued.

Most tests put a program in the place of `emkd train` that writes the curve which its
settings ask for; the last one kills a search of real trainings.
"""

import json
import os
import signal
import subprocess
import sys
import time

import polars as pl
import pytest
import yaml
from optuna.trial import TrialState

from emkd_tf.config.flags import read_settings
from emkd_tf.errors import InputError
from emkd_tf.experiments import processes
from emkd_tf.experiments.search_space import Range
from emkd_tf.experiments.tuning import Search, curve
from emkd_tf.experiments.tuning_results import trials_frame

PROGRAM = r"""
import json, pathlib, sys, time
run, dropout, epochs, pause = pathlib.Path(sys.argv[1]), *map(float, sys.argv[2:])
if dropout > 0.7:
    raise SystemExit("emkd: the loss is not finite")
run.mkdir(parents=True, exist_ok=True)  # a killed training left it
for epoch in range(1, int(epochs) + 1):
    time.sleep(pause)
    line = {"epoch": epoch, "validation/NDCG@10": (1 - dropout) * epoch / epochs}
    with (run / "history.jsonl").open("a") as file:
        file.write(json.dumps(line) + "\n")
metrics = {"validation": {"NDCG@10": 1 - dropout}, "seconds": 9.0}
(run / "metrics.json").write_text(json.dumps(metrics))
"""
CHOICES = (0.1, 0.2, 0.3, 0.4, 0.5)


@pytest.fixture
def search(tmp_path, monkeypatch):
    """Returns a function that opens a search whose trials the program runs."""
    started = []

    def opened(space, *arguments, pause=0.0, epochs=4):
        arguments = ["--model=sasrec", f"--epochs={epochs}", *arguments]

        def start(cell, jobs):
            started.append(cell)
            values = [cell.config.model.dropout, epochs, pause]
            command = [sys.executable, "-c", PROGRAM, str(cell.run_dir)]
            cell.run_dir.parent.mkdir(parents=True, exist_ok=True)
            with processes.log_of(cell).open("a") as log:
                return subprocess.Popen(
                    [*command, *map(str, values)], stdout=log, stderr=log
                )

        monkeypatch.setattr(processes, "_start", start)
        config = read_settings("emkd train", "", arguments).config
        said = []
        made = Search(tmp_path / "study", config, arguments, space, said.append)
        made.said, made.started = said, started
        return made

    return opened


def states(search):
    return [trial.state for trial in search.study.trials]


def test_the_first_trial_has_what_is_given_also_where_no_other_could(search):
    found = search({"dropout": (0.3, 0.4), "learning_rate": (0.001, 0.002)})
    found.run(trials=3)
    tried = [trial.user_attrs["settings"]["dropout"] for trial in found.study.trials]
    assert tried[0] == found.started[0].config.model.dropout == 0.2
    assert set(tried[1:]) <= {0.3, 0.4}
    assert found.study.trials[0].params == {"learning_rate": 0.001}


def test_the_first_trial_is_not_rounded(search):
    space = {"dropout": Range(0.0, 0.5)}
    found = search(space, "--dropout=0.123456")
    found.run(trials=1)
    assert found.started[0].config.model.dropout == 0.123456


def test_the_best_validation_is_chosen_and_no_trial_reads_the_test(search):
    found = search({"dropout": CHOICES})
    found.run(trials=8, jobs=2)
    best = found.study.best_trial
    tried = [trial.user_attrs["settings"]["dropout"] for trial in found.study.trials]
    assert tried[0] == 0.2  # the preset's own
    assert best.value == 1 - min(tried)
    assert all(not cell.config.run.test for cell in found.started)
    assert all(not cell.config.run.export for cell in found.started)
    assert found.num_trials == 8


def test_equal_settings_are_trained_once(search):
    found = search({"dropout": (0.2, 0.3)})
    found.run(trials=7)
    assert states(found) == [TrialState.COMPLETE] * 7
    assert sorted(cell.config.model.dropout for cell in found.started) == [0.2, 0.3]


def test_a_trial_below_the_median_is_stopped(search):
    found = search({"dropout": (*CHOICES, 0.7)}, epochs=40, pause=0.1)
    for dropout in (0.1, 0.3, 0.4, 0.7):
        found.study.enqueue_trial({"dropout": dropout})
    found.run(trials=5, jobs=5)
    assert states(found) == [TrialState.COMPLETE] * 5  # that others are held against
    found.study.enqueue_trial({"dropout": 0.5})
    found.run(trials=6)
    pruned = found.study.trials[-1]
    assert pruned.state == TrialState.PRUNED
    reached = max(pruned.intermediate_values)
    assert 3 <= reached < 40
    assert not (found.started[-1].run_dir / "metrics.json").exists()
    best_there = (1 - 0.5) * reached / 40
    others = [t.intermediate_values[reached] for t in found.study.trials[:5]]
    assert best_there < sorted(others)[2]


def test_a_failed_trial_does_not_stop_the_others(search):
    found = search({"dropout": (0.2, 0.8)})
    found.study.enqueue_trial({"dropout": 0.8})
    found.run(trials=4)
    failed = found.study.get_trials(states=[TrialState.FAIL])
    assert failed[0].number == 1
    assert failed[0].user_attrs["failure"] == "emkd: the loss is not finite"
    assert found.num_trials == 4
    assert found.study.best_value == 0.8


def test_settings_that_do_not_go_together_are_a_failed_trial(search):
    found = search({"num_heads": Range(1, 4)}, "--hidden-units=64", "--num-heads=2")
    found.study.enqueue_trial({"num_heads": 3})
    found.run(trials=3)
    failed = found.study.trials[1]
    assert "must be a multiple of `num_heads` (3)" in failed.user_attrs["failure"]
    assert found.num_trials == 3
    assert trials_frame(found.study)["run"][1] is None


def test_the_settings_as_given_are_tried_where_the_search_ended_at_once(search):
    space = {"dropout": (0.1, 0.5)}
    killed = search(space, "--dropout=0.35")
    killed.study.ask()
    killed._lock.release()
    found = search(space, "--dropout=0.35")
    found.run(trials=2)
    assert found.started[0].config.model.dropout == 0.35
    assert found.num_trials == 2


def test_a_failure_of_the_settings_as_given_ends_the_search(search):
    found = search({"dropout": (0.8, 0.9)}, "--dropout=0.8")
    with pytest.raises(InputError, match="first trial failed: the loss is not"):
        found.run(trials=4)
    assert len(found.started) == 1
    found._lock.release()
    again = search({"dropout": (0.8, 0.9)}, "--dropout=0.8")
    with pytest.raises(InputError, match="first trial failed"):
        again.run(trials=4)
    assert again.started[1].run_dir == again.started[0].run_dir


def test_the_time_is_that_of_all_processes_of_the_search(search):
    found = search({"dropout": CHOICES}, pause=600.0)
    began = time.monotonic()
    found.run(trials=4, budget=1.0)
    assert 1 < time.monotonic() - began < 500
    assert found.said[-1] == "The budget is spent; a larger --budget continues."
    spent = found.study.user_attrs["seconds"]
    assert 1 < spent < 500
    assert states(found) == [TrialState.RUNNING]
    found._lock.release()

    later = search({"dropout": CHOICES})
    later.run(trials=4, budget=spent)
    assert len(later.started) == 1  # none was begun
    later._lock.release()
    last = search({"dropout": CHOICES})
    last.run(trials=4)
    assert last.started[1].run_dir == last.started[0].run_dir
    assert last.num_trials == 4
    assert last.study.user_attrs["seconds"] > spent


@pytest.mark.parametrize(
    ("arguments", "space", "message"),
    [
        (["--batch_size=7"], CHOICES, "`batch_size` was 128, is 7"),
        ([], (0.2, 0.3), "other settings: what is searched"),
    ],
)
def test_other_settings_are_another_study(search, arguments, space, message):
    search({"dropout": CHOICES})._lock.release()
    with pytest.raises(InputError, match=message):
        search({"dropout": space}, *arguments)


def test_two_processes_do_not_search_in_one_study(search):
    first = search({"dropout": CHOICES})
    with pytest.raises(InputError, match="Another process searches in"):
        search({"dropout": CHOICES})
    first._lock.release()


def test_half_a_line_of_a_history_is_not_read(tmp_path):
    assert curve(tmp_path) == []
    lines = [
        {"epoch": 1, "loss/total": 2.0},
        {"epoch": 2, "validation/NDCG@10": 0.5},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines) + '{"epoch": 3, "val'
    (tmp_path / "history.jsonl").write_text(text)
    assert curve(tmp_path) == [(2, 0.5)]


@pytest.mark.slow
def test_a_killed_search_goes_on_where_it_was(tiny_log, tmp_path):
    space = tmp_path / "space.yaml"
    space.write_text(yaml.safe_dump({"learning_rate": {"low": 0.001, "high": 0.1}}))
    flags = [f"--interactions={tiny_log}", f"--cache-dir={tmp_path / 'cache'}"]
    flags += ["--model=gru4rec", "--hidden-units=8", "--max-length=6", "--epochs=4"]
    flags += ["--user-core=3", "--item-core=1", f"--space={space}", "--trials=3"]
    flags += [f"--output={tmp_path}", "--study=mine", "--learning-rate=0.05"]
    command = [sys.executable, "-m", "emkd_tf", "tune", *flags]
    runs = tmp_path / "mine" / "runs"

    process = subprocess.Popen(command, start_new_session=True)
    while len(list(runs.glob("*/history.jsonl"))) < 2:
        assert process.poll() is None
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)  # its training goes on, or is done by then
    process.wait()
    before = {path: path.stat().st_mtime_ns for path in runs.glob("*/metrics.json")}
    assert len(before) >= 1

    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    after = {path: path.stat().st_mtime_ns for path in runs.glob("*/metrics.json")}
    assert len(after) == 3
    assert before.items() <= after.items()
    trials = pl.read_csv(tmp_path / "mine" / "trials.csv")
    ended = trials.filter(pl.col("state") == "complete")
    assert len(ended) == 3
    for row in ended.iter_rows(named=True):
        ranks = pl.read_parquet(runs / row["run"] / "per_user.parquet")
        assert not [name for name in ranks.columns if name.startswith("test")]
        within = ranks.filter(pl.col("validation_unseen") <= 10)["validation_unseen"]
        ndcg = (1 / (within + 1).log(2)).sum() / len(ranks)
        assert row["validation/NDCG@10"] == pytest.approx(ndcg)
        metrics = json.loads((runs / row["run"] / "metrics.json").read_text())
        assert "test" not in metrics
    best = ended.sort("validation/NDCG@10")[-1]["learning_rate"].item()
    preset = yaml.safe_load((tmp_path / "mine" / "best.yaml").read_text())
    assert preset["learning_rate"] == pytest.approx(best)
    assert preset["model"] == "gru4rec"

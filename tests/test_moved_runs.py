"""Runs whose log, cache or working directory is no longer where it was, in real
processes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from command_line import flags

from emkd_tf.training.run_config import read_config

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).resolve().parent.parent
ENVIRONMENT = {"PYTHONPATH": str(REPOSITORY), "TF_CPP_MIN_LOG_LEVEL": "3"}


def emkd(*arguments, cwd):
    process = subprocess.run(
        [sys.executable, "-m", "emkd_tf.cli", *map(str, arguments)],
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
    )
    return process.returncode, process.stdout, process.stderr


def settings_of(base, **more):
    """Everything relative to the working directory."""
    folders = {
        "cache_dir": "cache",
        "runs_dir": "runs",
        "saved_models_dir": "saved_models",
        "interactions": "log.csv",
    }
    return {**base, **folders, "name": "run", "epochs": 1, "export": "false", **more}


@pytest.fixture(scope="module")
def home(tiny_base, tiny_log, tmp_path_factory):
    """A working directory with a finished run that was trained from `log.csv`."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copyfile(tiny_log, folder / "log.csv")
    code, _, error = emkd("train", *flags(settings_of(tiny_base)), cwd=folder)
    assert code == 0, error
    return folder


@pytest.fixture
def moved(home, tmp_path):
    """A copy of all of it, to be changed."""
    folder = tmp_path / "moved"
    shutil.copytree(home, folder)
    config = folder / "runs" / "run" / "config.yaml"
    config.write_text(config.read_text().replace(str(home), str(folder)))
    return folder


def log_to_another_folder(folder):
    (folder / "old").mkdir()
    (folder / "log.csv").rename(folder / "old" / "log.csv")


def no_log(folder):
    (folder / "log.csv").unlink()


def no_log_and_no_cache(folder):
    no_log(folder)
    shutil.rmtree(folder / "cache")


def no_own_data(folder):
    """As of a run of an earlier version."""
    shutil.rmtree(folder / "runs" / "run" / "data")


CHANGES = {
    "a log in another folder": log_to_another_folder,
    "a log of another name": lambda f: (f / "log.csv").rename(f / "new.csv"),
    "a deleted log": no_log,
    "a deleted cache": lambda f: shutil.rmtree(f / "cache"),
    "neither log nor cache": no_log_and_no_cache,
}


@pytest.mark.parametrize("change", CHANGES)
def test_finished_runs_work_as_before(change, moved, tmp_path):
    CHANGES[change](moved)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run = f"--run={moved / 'runs' / 'run'}"
    code, printed, error = emkd("evaluate", run, cwd=elsewhere)
    assert code == 0, error
    metrics = json.loads((moved / "runs" / "run" / "metrics.json").read_text())
    assert f"{metrics['test']['NDCG@20']:.4f}" in printed
    if change == "neither log nor cache":
        lists = tmp_path / "lists.parquet"
        code, _, error = emkd("recommend", run, f"--output={lists}", cwd=elsewhere)
        assert code == 0, error
        assert pl.read_parquet(lists)["user"].n_unique() == 60
        target = f"--saved-models-dir={tmp_path / 'exports'}"
        code, printed, error = emkd("export", run, target, cwd=elsewhere)
        assert code == 0, error
        assert printed == f"Export: {tmp_path / 'exports' / 'run' / '1'}\n"


def test_a_run_from_a_relative_log_is_evaluated_from_another_directory(home, tmp_path):
    config = read_config(home / "runs" / "run")
    assert config.data.interactions == str(home / "log.csv")
    assert config.data.cache_dir == str(home / "cache")
    assert config.run.runs_dir == str(home / "runs")
    assert config.run.saved_models_dir == str(home / "saved_models")
    # Even where the run has no data of its own.
    copy = tmp_path / "run"
    shutil.copytree(home / "runs" / "run", copy)
    shutil.rmtree(copy / "data")
    code, _, error = emkd("evaluate", f"--run={copy}", cwd=tmp_path)
    assert code == 0, error


def test_without_any_data_one_line_says_what_is_missing(moved, tmp_path):
    no_log_and_no_cache(moved)
    no_own_data(moved)
    run = moved / "runs" / "run"
    code, _, error = emkd("evaluate", f"--run={run}", cwd=tmp_path)
    assert code == 2
    assert error.count("\n") == 1
    assert f"{run / 'data'} and the cache do not hold the run's data" in error
    assert f"{moved / 'log.csv'} does not exist" in error


def start_and_interrupt(arguments, run_dir, cwd):
    """Trains until the first checkpoint is there, then ends the process."""
    process = subprocess.Popen(
        [sys.executable, "-m", "emkd_tf.cli", "train", *arguments],
        env={**os.environ, **ENVIRONMENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
    )
    deadline = time.monotonic() + 120
    while not list((run_dir / "checkpoints").glob("last/*.index")):
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 130, output


@pytest.fixture(scope="module")
def begun(tiny_base, tiny_log, tmp_path_factory):
    """A working directory with a run that was interrupted."""
    folder = tmp_path_factory.mktemp("begun")
    shutil.copyfile(tiny_log, folder / "log.csv")
    settings = settings_of(tiny_base, epochs=400, checkpoint_steps=1)
    start_and_interrupt(flags(settings), folder / "runs" / "run", folder)
    return folder, settings


CONTINUED = {
    "a log in another folder": (log_to_another_folder, {"interactions": "old/log.csv"}),
    "a log of another name": (
        CHANGES["a log of another name"],
        {"interactions": "new.csv"},
    ),
    "neither log nor cache": (no_log_and_no_cache, {}),
}


@pytest.mark.parametrize("change", CONTINUED)
def test_an_unfinished_run_is_continued(change, begun, tmp_path):
    home, settings = begun
    hidden = tmp_path / "aside"
    shutil.copytree(home, hidden)
    do, more = CONTINUED[change]
    try:
        do(home)
        path = home / "runs" / "run"
        last = max((path / "checkpoints" / "last").glob("*.index"))
        step = int(last.stem.removeprefix("ckpt-"))
        arguments = flags({**settings, **more})
        process = subprocess.Popen(
            [sys.executable, "-m", "emkd_tf.cli", "train", *arguments],
            env={**os.environ, **ENVIRONMENT},
            stderr=subprocess.PIPE,
            text=True,
            cwd=home,
        )
        assert process.stderr.readline().startswith("Data: `log`, 60 users")
        assert process.stderr.readline().startswith("Columns: user = user")
        said = process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert said.startswith(f"Continuing {path} at step "), said
        assert int(said.split()[-1]) >= min(step, 1)
    finally:
        shutil.rmtree(home)
        shutil.copytree(hidden, home)


def test_other_content_does_not_continue_a_run(begun, tmp_path):
    home, settings = begun
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    lines = (copy / "log.csv").read_text().splitlines(keepends=True)
    (copy / "log.csv").write_text("".join(lines[:-1]))
    config = copy / "runs" / "run" / "config.yaml"
    config.write_text(config.read_text().replace(str(home), str(copy)))
    code, _, error = emkd("train", *flags(settings), cwd=copy)
    assert code == 2
    assert error.count("\n") == 1
    assert "was trained on other data" in error

"""The run directory on its own; test_cli.py has it after real runs."""

import datetime
import re
import subprocess
import sys

import filelock
import pytest
import tensorflow as tf
from command_line import flags

from emkd_tf.atomic_files import read_json, write_json
from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.errors import InputError
from emkd_tf.training import run_dir
from emkd_tf.training.run import train


def release(opened):
    opened.lock.release()
    return opened.path


def test_what_is_written_can_be_read(tiny_settings):
    config = from_flat(tiny_settings)
    histories = prepare(config.data)
    opened = run_dir.open_or_create(config, histories)
    path = release(opened)
    assert (path.name, opened.is_resumed) == ("tiny", False)
    assert run_dir.read_config(path) == config
    assert read_json(path / "dataset.json") == histories.description
    environment = read_json(path / "environment.json")
    assert environment["packages"]["tensorflow"]
    assert environment["cores"] >= 1


def test_an_unfinished_run_of_the_same_settings_is_continued(tiny_settings):
    settings = {**tiny_settings, "name": None}
    histories = prepare(from_flat(settings).data)

    def opened(**changes):
        return run_dir.open_or_create(from_flat({**settings, **changes}), histories)

    first = release(opened())
    assert re.fullmatch(r"tiny-\d{8}-\d{6}-seed0", first.name)
    again = opened(k=7)
    assert (again.path, again.is_resumed) == (first, True)
    # While one process trains it, another cannot.
    with pytest.raises(InputError, match="Another process is training"):
        opened(name=first.name)
    release(again)
    assert opened(name=first.name).is_resumed
    other = opened(seed=5)
    assert (release(other) != first, other.is_resumed) == (True, False)


def test_runs_of_one_second_are_several(tiny_settings, monkeypatch):
    class Stopped(datetime.datetime):
        @classmethod
        def now(cls):
            return cls(2024, 5, 6, 7, 8, 9)

    monkeypatch.setattr(run_dir, "datetime", Stopped)
    histories = prepare(from_flat(tiny_settings).data)
    names = []
    for changes in ({}, {}, {"learning_rate": 0.5}):
        config = from_flat({**tiny_settings, "name": None, **changes})
        path = release(run_dir.open_or_create(config, histories))
        write_json(path / "metrics.json", {})
        names.append(path.name)
    first = "tiny-20240506-070809-seed0"
    assert names == [first, f"{first}-2", f"{first}-3"]
    config = from_flat({**tiny_settings, "name": None, "runs_dir": str(path / ".lock")})
    with pytest.raises(InputError, match=r"cannot be created \(Not a directory\)"):
        run_dir.open_or_create(config, histories)


def test_other_settings_finished_runs_and_foreign_folders_are_refused(tiny_settings):
    config = from_flat(tiny_settings)
    histories = prepare(config.data)
    path = release(run_dir.open_or_create(config, histories))

    def refused(match, **changes):
        changed = from_flat({**tiny_settings, **changes})
        with pytest.raises(InputError, match=match):
            run_dir.open_or_create(changed, histories)

    refused("`learning_rate` was 0.01, is 0.5", learning_rate=0.5)
    refused("--resume auto continues", resume="never")
    description = read_json(path / "dataset.json")
    write_json(path / "dataset.json", {**description, "fingerprint": "other"})
    refused("other data")
    write_json(path / "metrics.json", {})
    refused("no unfinished run")
    foreign = path.parent / "foreign"
    foreign.mkdir()
    (foreign / "letter.txt").write_text("mine")
    refused("no unfinished run", name="foreign")
    assert [p.name for p in foreign.iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("step", ["_lock", "_environment", "write_config"])
def test_a_run_stopped_while_its_directory_was_made_begins_anew(
    tiny_settings, monkeypatch, step
):
    config = from_flat(tiny_settings)
    histories = prepare(config.data)
    real = getattr(run_dir, step)

    def stopped(*arguments):
        kept.append(real(*arguments))
        raise KeyboardInterrupt

    kept: list = []
    with monkeypatch.context() as patched:
        patched.setattr(run_dir, step, stopped)
        with pytest.raises(KeyboardInterrupt):
            run_dir.open_or_create(config, histories)
    for lock in kept:
        if isinstance(lock, filelock.BaseFileLock):
            lock.release()
    path = release(run_dir.open_or_create(config, histories))
    assert run_dir.read_config(path) == config
    assert read_json(path / "data" / "dataset.json") == histories.description


def test_no_run(tmp_path):
    with pytest.raises(InputError, match="is not a run directory"):
        run_dir.read_config(tmp_path)


FULL = """
import resource, sys
from emkd_tf.cli import main

# No file may grow beyond this: to the process it is as if the disk were full.
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.exit(main(["train", *sys.argv[1:]]))
"""


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_the_run_goes_on_when_there_is_room(tiny_settings):
    settings = {**tiny_settings, "export": False}
    prepare(from_flat(settings).data)
    process = subprocess.run(
        [sys.executable, "-c", FULL, *flags(settings)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2
    said = process.stderr.splitlines()[-1]
    assert said.startswith("emkd: Run directory")
    assert "cannot be written (File too large)" in said
    assert "Traceback" not in process.stderr
    assert train(from_flat(settings)).metrics["best_epoch"] > 0


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (
            tf.errors.ResourceExhaustedError(None, None, "x; No space left on device"),
            "No space left on device",
        ),
        (
            tf.errors.FailedPreconditionError(None, None, "logs is not a directory"),
            "Not a directory",
        ),
    ],
)
def test_what_cannot_be_written_is_one_line(tmp_path, error, reason):
    with (
        pytest.raises(InputError, match=rf"cannot be written \({reason}\)"),
        run_dir.writing(tmp_path),
    ):
        raise error


def test_other_errors_pass(tmp_path):
    memory = tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")
    with pytest.raises(tf.errors.ResourceExhaustedError), run_dir.writing(tmp_path):
        raise memory

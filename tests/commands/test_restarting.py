"""With --fuse a training starts once more after a segmentation fault of its process."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import flags
from trainings import TRAIN

from emkd_tf.commands.restarting import may_restart, train_restarting
from emkd_tf.config import from_flat

SAID = "XLA ended the training with a segmentation fault; it starts once more."


def test_what_was_chosen_is_said_once(tmp_path):
    command = [sys.executable, str(TRAIN), "--fuse", "true", "--dataset", "nothing"]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    process = subprocess.run(
        command,
        cwd=tmp_path,  # the package is found from elsewhere, too
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2
    assert process.stdout.count("Preset quick") == 1
    assert process.stderr.count("\n") == 1
    assert "Unknown dataset `nothing`" in process.stderr


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Returns a function that puts a shell script in the place of trainings, which
    keeps their arguments, and one that reads these."""
    kept, file = tmp_path / "arguments", tmp_path / "python"

    def put(script):
        file.write_text(f'#!/bin/sh\necho "$@" >> {kept}\n{script}\n')
        file.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(file))

    return put, lambda: kept.read_text().splitlines()


def test_the_second_start_may_continue_what_the_first_began(program, capsys):
    put, begun = program
    put("kill -SEGV $$")
    assert train_restarting(["--resume=never"]) == 128 + signal.SIGSEGV
    first, second = begun()
    assert second == f"{first} --resume=auto"
    assert capsys.readouterr().out.count(SAID) == 1


def test_what_was_to_stop_does_not_start_again(program, capsys):
    put, begun = program
    put("trap 'kill -SEGV $$' TERM\nsleep 1\nkill -TERM $PPID\nsleep 5 & wait")
    assert train_restarting([]) == 128 + signal.SIGSEGV
    assert len(begun()) == 1
    assert SAID not in capsys.readouterr().out


class Training:
    """`emkd train --fuse true` of more epochs than a test waits for."""

    def __init__(self, settings):
        settings = {**settings, "fuse": True, "epochs": 4000, "checkpoint_steps": 1}
        self._runs = Path(settings["runs_dir"])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "emkd_tf", "train", *flags(settings)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def trains_on(self, after=0):
        """Waits for a checkpoint of a later step; returns that step and the process
        that wrote it."""
        pid = self.process.pid
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.process.stdout.read()
            saved = self._runs.glob("*/checkpoints/last/ckpt-*.index")
            steps = [int(path.stem.removeprefix("ckpt-")) for path in saved]
            if max(steps, default=0) > after:
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
                return max(steps), int(children)
            time.sleep(0.1)
        raise AssertionError("it does not train")

    def output(self):
        return self.process.communicate(timeout=60)[0]


@pytest.fixture
def training(tiny_settings):
    del tiny_settings["name"]  # the second process finds the run that was begun
    begun = Training(tiny_settings)
    yield begun
    begun.process.kill()
    begun.process.communicate()


@pytest.mark.slow
def test_it_goes_on_after_the_first_fault_and_ends_with_the_second(training):
    step, first = training.trains_on()
    os.kill(first, signal.SIGSEGV)
    _, second = training.trains_on(after=step + 1)
    assert second != first
    os.kill(second, signal.SIGSEGV)
    output = training.output()
    assert training.process.returncode == 128 + signal.SIGSEGV
    assert output.count(SAID) == 1
    assert output.count("Run directory ") == output.count("Continuing ") == 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_passed_on(training, number):
    training.trains_on()
    training.process.send_signal(number)
    assert "interrupted and saved at step" in training.output()
    assert training.process.returncode == 130


@pytest.mark.slow
def test_the_training_does_not_outlive_a_killed_command(training):
    training.trains_on()
    training.process.kill()
    # The output ends when the last process that writes to it has.
    assert "interrupted and saved at step" in training.output()


@pytest.mark.parametrize(
    ("environment", "fuse", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"TF_CONFIG": "{}"}, True, False),
        ({"EMKD_WATCHED": "1"}, True, False),
    ],
)
def test_who_trains_in_another_process(monkeypatch, environment, fuse, expected):
    for name in ("TF_CONFIG", "EMKD_WATCHED"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert may_restart(from_flat({"fuse": fuse})) is expected

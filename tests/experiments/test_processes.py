"""Trainings as processes: what outlives a killed command is seen."""

import contextlib
import dataclasses
import signal
import subprocess
import sys
import time

import filelock
import pytest

from emkd_tf.experiments import processes
from emkd_tf.experiments.processes import is_training

HOLD = """
import sys, time, filelock
lock = filelock.FileLock(sys.argv[1])
lock.acquire()
time.sleep(60)
"""


# Trains, as far as one can see, until it gets the signal of an interrupted training.
RUNNER = """
import signal, subprocess, sys, time, types
from pathlib import Path
from emkd_tf.experiments import processes
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells' jobs ignore it
program = "import time; print('trains', flush=True); time.sleep(60)"
child = [sys.executable, "-c", program]
processes._start = lambda cell, own: subprocess.Popen(child)
cell = types.SimpleNamespace(run_dir=Path("run"), is_begun=False, label="a", seed=0)
try:
    with processes.Trainings(1, lambda line: None) as trainings:
        trainings.start(cell)
        process = trainings._processes[cell.run_dir][1]
        time.sleep(60)
except KeyboardInterrupt:
    print("interrupted", process.returncode, flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_trainings_do_not_outlive_an_interrupted_command(number):
    command = [sys.executable, "-c", RUNNER]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "trains\n"
    process.send_signal(number)
    output = process.communicate(timeout=30)[0]
    assert output == f"interrupted {-signal.SIGTERM}\n"


@contextlib.contextmanager
def held(cell):
    """Another process trains the cell, as far as one can see."""
    cell.run_dir.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", HOLD, str(cell.run_dir / ".lock")]
    process = subprocess.Popen(command)
    try:
        began = time.monotonic()
        while not is_training(cell):
            assert time.monotonic() - began < 30
            time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


def test_a_run_that_another_process_trains_is_seen(planned):
    cell = planned[0]
    assert not is_training(cell)
    assert not cell.run_dir.exists()
    with held(cell):
        pass
    assert not is_training(cell)
    with filelock.FileLock(cell.run_dir / ".lock", blocking=False):
        pass


def test_a_run_that_another_process_has_finished_did_not_fail(planned, monkeypatch):
    """It was trained while ours began, and had ended when ours looked."""
    cell = planned[0]
    refuse = [sys.executable, "-c", "raise SystemExit('emkd: it is trained')"]
    monkeypatch.setattr(processes, "_start", lambda *_: subprocess.Popen(refuse))
    trainings = processes.Trainings(1, lambda line: None)
    trainings.start(cell)
    trainings._processes[cell.run_dir][1].wait()
    cell.run_dir.mkdir(parents=True)
    (cell.run_dir / "metrics.json").write_text("{}")
    (ended,) = trainings.ended()
    assert ended.failure is None


def test_each_training_has_a_log_of_its_own(planned):
    names = [
        dataclasses.replace(cell.config.run, name=f"shop.2024-{n}")
        for n, cell in enumerate(planned)
    ]
    dotted = [
        dataclasses.replace(cell, config=dataclasses.replace(cell.config, run=run))
        for cell, run in zip(planned, names, strict=True)
    ]
    logs = [processes.log_of(cell).name for cell in dotted]
    assert logs == [f"shop.2024-{n}.log" for n in range(len(planned))]


@pytest.mark.parametrize("other_finishes", [True, False])
def test_who_comes_second_waits_for_the_first(planned, monkeypatch, other_finishes):
    cell = planned[0]
    refuse = [sys.executable, "-c", "raise SystemExit('emkd: it is trained')"]

    def start(cell, own):
        with processes.log_of(cell).open("a") as log:
            return subprocess.Popen(refuse, stderr=log)

    monkeypatch.setattr(processes, "_start", start)
    trainings = processes.Trainings(1, lambda line: None)
    with held(cell):
        trainings.start(cell)
        trainings._processes[cell.run_dir][1].wait()
        assert trainings.ended() == []
        assert not trainings.has_room
        if other_finishes:
            (cell.run_dir / "metrics.json").write_text("{}")
    (ended,) = trainings.ended()
    assert ended.failure == (None if other_finishes else "emkd: it is trained")
    assert trainings.has_room


def test_a_training_has_the_part_of_the_one_that_ended(planned, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    gpus = []

    def start(cell, own):
        gpus.append(own["CUDA_VISIBLE_DEVICES"])
        # The second one ends.
        child = "pass" if len(gpus) == 2 else "import time; time.sleep(60)"
        return subprocess.Popen([sys.executable, "-c", child])

    monkeypatch.setattr(processes, "_start", start)
    with processes.Trainings(2, lambda line: None) as trainings:
        for cell in planned[:2]:
            trainings.start(cell)
        second = planned[1].run_dir
        second.mkdir(parents=True)
        (second / "metrics.json").write_text("{}")
        trainings._processes[second][1].wait()
        assert len(trainings.ended()) == 1
        trainings.start(planned[2])
    assert gpus == ["4", "6", "6"]

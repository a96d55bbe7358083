"""Two real worker processes on loopback: equal to one, and one of them killed."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from command_line import flags

TRAIN = Path(__file__).resolve().parents[2] / "train.py"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Workers:
    """Two processes of one training, with the usual TF_CONFIG."""

    def __init__(self, settings, folder, *, apart=()):
        cluster = {"worker": [f"127.0.0.1:{free_port()}" for _ in range(2)]}
        self.logs = [folder / f"worker-{index}.log" for index in range(2)]
        self.processes = []
        for index, log in enumerate(self.logs):
            task = {"type": "worker", "index": index}
            config = json.dumps({"cluster": cluster, "task": task})
            self.processes.append(
                subprocess.Popen(
                    [sys.executable, str(TRAIN), *flags(settings), *apart[index:][:1]],
                    env={**os.environ, "TF_CONFIG": config},
                    stdout=subprocess.DEVNULL,
                    stderr=log.open("w"),
                )
            )

    def wait(self, timeout=240):
        return [process.wait(timeout) for process in self.processes]

    def text(self):
        return "\n".join(log.read_text()[-3000:] for log in self.logs)


def losses(run):
    lines = (run / "history.jsonl").read_text().splitlines()
    return [
        {k: v for k, v in json.loads(line).items() if k.startswith("loss/")}
        for line in lines
    ]


def metrics(run):
    found = json.loads((run / "metrics.json").read_text())
    return {k: v for k, v in found.items() if k != "seconds"}


def best_weights(run):
    reader = tf.train.load_checkpoint(str(run / "checkpoints" / "best"))
    names = [n for n in reader.get_variable_to_shape_map() if n.startswith("networks")]
    return {name: reader.get_tensor(name) for name in sorted(names)}


@pytest.mark.slow
def test_two_workers_equal_one_and_survive_the_loss_of_one(tiny_settings, tmp_path):
    runs = Path(tiny_settings["runs_dir"])
    settings = {
        **tiny_settings,
        "epochs": 6,
        "batch_size": 12,
        "checkpoint_steps": 4,
        "validation_every": 2,
        "dropout": 0.0,
        # Gradients of rows, whose numbers differ between the workers.
        "item_loss": "sampled",
        "num_sampled": 16,
        "optimizer": "lazy_adam",
        "deterministic": True,
        "export": False,
    }
    one = [sys.executable, str(TRAIN), *flags({**settings, "name": "one"})]
    subprocess.run(one, check=True, capture_output=True, timeout=240)
    both = Workers({**settings, "name": "two"}, tmp_path)
    assert both.wait() == [0, 0], both.text()
    for single, double in zip(losses(runs / "one"), losses(runs / "two"), strict=True):
        for name, value in single.items():
            np.testing.assert_allclose(double[name], value, rtol=1e-4, atol=1e-5)
    weights = best_weights(runs / "two")
    for name, value in best_weights(runs / "one").items():
        np.testing.assert_allclose(weights[name], value, rtol=1e-2, atol=1e-4)

    run = runs / "killed"
    both = Workers({**settings, "name": "killed"}, tmp_path)
    end = time.monotonic() + 120
    while not list(run.glob("checkpoints/last/*.index")) and time.monotonic() < end:
        time.sleep(0.02)
    both.processes[1].send_signal(signal.SIGKILL)
    assert both.wait(timeout=90) == [5, -signal.SIGKILL], both.text()
    said = both.logs[0].read_text()
    assert "emkd: Another worker is gone" in said
    assert "Traceback" not in said
    assert not (run / "metrics.json").exists()
    both = Workers({**settings, "name": "killed"}, tmp_path)
    assert both.wait() == [0, 0], both.text()
    assert "Continuing" in both.logs[0].read_text()
    assert metrics(run) == metrics(runs / "two")
    for name, value in best_weights(run).items():
        np.testing.assert_array_equal(value, weights[name])


MEETING = """
import os, signal, sys, time
from emkd_tf.training.interrupts import Interrupts
from emkd_tf.training.strategy import make_strategy

time.sleep(float(sys.argv[1]))
try:
    with Interrupts():
        print("waiting", flush=True)
        strategy = make_strategy("multi_worker", worker_timeout=float(sys.argv[2]))
        print(strategy.num_replicas_in_sync, flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    os._exit(0)  # without waiting for the other
"""


def meet(index, addresses, *arguments):
    task = {"type": "worker", "index": index}
    config = json.dumps({"cluster": {"worker": addresses}, "task": task})
    return subprocess.Popen(
        [sys.executable, "-c", MEETING, *map(str, arguments)],
        env={**os.environ, "TF_CONFIG": config},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def addresses():
    return [f"127.0.0.1:{free_port()}" for _ in range(2)]


@pytest.mark.parametrize("index", [0, 1])
def test_a_worker_that_stays_alone_ends_with_one_line(index):
    process = meet(index, addresses(), 0, 2)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 5
    assert said.splitlines()[-1] == (
        "emkd: Not all workers of TF_CONFIG connected within 2 s; start the same "
        "command on all of them."
    )


@pytest.mark.slow
def test_workers_that_start_apart_meet_and_keep_their_signals():
    both = addresses()
    processes = [meet(0, both, 0, 60), meet(1, both, 4, 60)]
    for process in processes:
        out, said = process.communicate(timeout=120)
        assert out == "waiting\n2\ninterrupted\n", said


@pytest.mark.slow
def test_ctrl_c_ends_a_worker_that_waits():
    process = meet(0, addresses(), 0, 60)
    assert process.stdout.readline() == "waiting\n"
    time.sleep(4)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT  # 130 to a shell


def test_an_address_of_another_process_is_refused(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        mine = f"127.0.0.1:{taken.getsockname()[1]}"
        process = meet(1, [f"127.0.0.1:{free_port()}", mine], 0, 60)
        _, said = process.communicate(timeout=60)
    assert "own address in TF_CONFIG cannot be used" in said


@pytest.mark.slow
def test_a_signal_to_one_worker_saves_the_training_of_all(tiny_settings, tmp_path):
    """And workers that do not see the saved training both are refused."""
    settings = {**tiny_settings, "epochs": 1000, "checkpoint_steps": 7, "export": False}
    both = Workers(settings, tmp_path)
    run = Path(tiny_settings["runs_dir"]) / "tiny"
    end = time.monotonic() + 120
    while not list(run.glob("checkpoints/last/*.index")) and time.monotonic() < end:
        time.sleep(0.02)
    both.processes[1].send_signal(signal.SIGTERM)
    assert both.wait(timeout=90) == [130, 130], both.text()
    steps = [
        re.search(r"interrupted and saved at step (\d+)", log.read_text())[1]
        for log in both.logs
    ]
    assert steps[0] == steps[1]
    assert (run / "checkpoints" / "last" / f"ckpt-{steps[0]}.index").exists()
    apart = [f"--runs-dir={run.parent}", f"--runs-dir={tmp_path / 'elsewhere'}"]
    both = Workers(settings, tmp_path, apart=apart)
    assert both.wait(timeout=120) == [2, 2], both.text()
    for log in both.logs:
        said = f"The workers would continue from steps 0, {steps[0]}; "
        assert said in log.read_text()


@pytest.mark.slow
def test_workers_of_two_trainings_are_refused(tiny_settings, tmp_path):
    apart = ["--seed=1", "--seed=2"]
    both = Workers(tiny_settings, tmp_path, apart=apart)
    assert both.wait() == [2, 2], both.text()
    for log in both.logs:
        assert "The workers have different settings: `seed`" in log.read_text()
    assert not Path(tiny_settings["runs_dir"]).exists()


@pytest.mark.slow
def test_workers_with_two_logs_are_refused(tiny_settings, tmp_path):
    log = Path(tiny_settings["interactions"])
    other = tmp_path / "other.csv"
    other.write_text("".join(log.read_text().splitlines(keepends=True)[:-1]))
    apart = [f"--interactions={log}", f"--interactions={other}"]
    both = Workers(tiny_settings, tmp_path, apart=apart)
    assert both.wait() == [2, 2], both.text()
    for log in both.logs:
        assert "The workers have different data (fingerprint here: " in log.read_text()


@pytest.mark.slow
def test_several_workers_need_a_name(tiny_settings, tmp_path):
    both = Workers({k: v for k, v in tiny_settings.items() if k != "name"}, tmp_path)
    assert both.wait() == [2, 2]
    assert all("need --name" in log.read_text() for log in both.logs)

"""Trains twice, once killed with -9 at random moments, and compares the results.

    python benchmarks/kill_resume.py --kills 20
    python benchmarks/kill_resume.py --kills 5 --workers 2

Further flags go to `train.py`. With several workers, one of them is killed each time;
the others must end by themselves, then all are started again. Each kill comes at a
random moment between the start of the processes and twice its share of the time left.
After start-up, moments are measured in steps, so that other work on the machine matters
little.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import emkd_tf  # noqa: F401  chooses Keras 2 before TensorFlow loads

# isort: split
import tensorflow as tf
from rich.console import Console
from rich.table import Table

TRAIN = Path(__file__).resolve().parents[1] / "train.py"
CHECKPOINT_STEPS = 20
WORKER_LOST = 5  # exit code
WORKER_TIMEOUT = 120  # seconds to meet at the start
PATIENCE = 180.0  # seconds for the other workers to end after a kill


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(flags: list[str], workers: int, folder: Path) -> list[subprocess.Popen]:
    """Starts training, with one process per worker."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(workers)]
    processes = []
    for index in range(workers):
        environment = dict(os.environ)
        if workers > 1:
            task = {"type": "worker", "index": index}
            cluster = {"worker": addresses}
            environment["TF_CONFIG"] = json.dumps({"cluster": cluster, "task": task})
        log = (folder / f"worker-{index}.log").open("a")
        command = [sys.executable, str(TRAIN), *flags]
        processes.append(
            subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        )
    return processes


def wait(processes: list[subprocess.Popen], seconds: float | None) -> bool:
    """Waits for all processes to end; False if the time is up first."""
    end = None if seconds is None else time.monotonic() + seconds
    for process in processes:
        try:
            process.wait(None if end is None else max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
    return True


def saved_step(run: Path) -> int:
    """Returns the step of a run's newest checkpoint, 0 without one."""
    found = (run / "checkpoints" / "last").glob("*.index")
    return max((int(path.stem.split("-")[1]) for path in found), default=0)


def wait_for_step(processes: list[subprocess.Popen], run: Path, step: int) -> None:
    """Waits for a checkpoint at `step` or later, or for a process to end."""
    while saved_step(run) < step and all(p.poll() is None for p in processes):
        time.sleep(0.1)


def undisturbed(
    flags: list[str], workers: int, folder: Path, run: Path
) -> tuple[float, float]:
    """Trains; returns the seconds to the first checkpoint, and from it to the end."""
    began = time.monotonic()
    processes = start(flags, workers, folder)
    wait_for_step(processes, run, 1)
    first = time.monotonic()
    wait(processes, None)
    if any(process.returncode for process in processes):
        sys.exit(f"The undisturbed training failed; see {folder}.")
    return first - began, time.monotonic() - first


def outcome(run: Path) -> dict:
    metrics = json.loads((run / "metrics.json").read_text())
    weights = tf.train.load_checkpoint(str(run / "checkpoints" / "best"))
    digest = hashlib.sha256()
    for name in sorted(weights.get_variable_to_shape_map()):
        if name.startswith("networks"):
            digest.update(name.encode() + weights.get_tensor(name).tobytes())
    return {
        "best epoch": str(metrics["best_epoch"]),
        "test NDCG@10": repr(metrics["test"]["NDCG@10"]),
        "test MRR": repr(metrics["test"]["MRR"]),
        "weights sha256": digest.hexdigest()[:16],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--random-seed", type=int, default=0)
    options, rest = parser.parse_known_args()
    chance = random.Random(options.random_seed)
    folder = Path(tempfile.mkdtemp(prefix="kill_resume-"))
    print(f"Logs in {folder}", flush=True)
    base = [
        *("--deterministic=true", "--export=false"),
        f"--checkpoint-steps={CHECKPOINT_STEPS}",
        f"--worker-timeout={WORKER_TIMEOUT}",
        *(f"--runs-dir={folder / 'runs'}", *rest),
    ]
    runs = {name: folder / "runs" / name for name in ("undisturbed", "disturbed")}

    flags = [*base, "--name=undisturbed"]
    run = runs["undisturbed"]
    starting, training = undisturbed(flags, options.workers, folder, run)
    steps = saved_step(run)
    print(f"Undisturbed: {starting:.0f} + {training:.0f} s, {steps} steps", flush=True)

    flags = [*base, "--name=disturbed"]
    slowest = 0.0
    for kill in range(options.kills):
        left = training * (1 - saved_step(runs["disturbed"]) / steps)
        share = left / (options.kills - kill + 1)
        moment = chance.uniform(0, starting + 2 * share)
        between = chance.uniform(0, training * CHECKPOINT_STEPS / steps)
        processes = start(flags, options.workers, folder)
        if moment > starting:
            saved = saved_step(runs["disturbed"])
            step = saved + 1 + int((moment - starting) / training * steps)
            wait_for_step(processes, runs["disturbed"], step)
            moment = between
        if wait(processes, moment):
            sys.exit(f"The training ended before kill {kill + 1}; see {folder}.")
        chance.choice(processes).send_signal(signal.SIGKILL)
        killed = time.monotonic()
        if not wait(processes, PATIENCE):
            sys.exit(f"A worker still ran {PATIENCE:.0f} s after another was killed.")
        slowest = max(slowest, time.monotonic() - killed)
        codes = [process.returncode for process in processes]
        if set(codes) - {-signal.SIGKILL, WORKER_LOST}:
            sys.exit(f"Exit codes {codes} after a kill; see {folder}.")
        step = saved_step(runs["disturbed"])
        print(f"kill {kill + 1} with step {step} of {steps} saved", flush=True)
    wait(start(flags, options.workers, folder), None)

    found = {name: outcome(run) for name, run in runs.items()}
    table = Table(title=f"{options.kills} kills, {options.workers} worker(s)")
    table.add_column("")
    for name in found:
        table.add_column(name, justify="right")
    table.add_column("equal")
    for key, value in found["undisturbed"].items():
        other = found["disturbed"][key]
        table.add_row(key, value, other, "yes" if value == other else "NO")
    if options.workers > 1:
        table.caption = f"All workers had ended {slowest:.0f} s after a kill at most."
    Console().print(table)
    sys.exit(found["undisturbed"] != found["disturbed"])


if __name__ == "__main__":
    main()

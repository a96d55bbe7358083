"""Trains twice, once killed with -9 at random moments, and compares what comes out.

    python benchmarks/kill_resume.py --kills 20
    python benchmarks/kill_resume.py --kills 5 --workers 2

Further flags go to `train.py`. With several workers one of them is killed each time;
the others must end by themselves, then all are started again.
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
STARTUP = 12.0  # seconds of a process before its first step, roughly
PATIENCE = 120.0  # seconds for the other workers to notice a lost one


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start(flags: list[str], workers: int, folder: Path) -> list[subprocess.Popen]:
    """Starts a training, as one process a worker."""
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
    """Waits for all to end; False if the time is up first."""
    end = None if seconds is None else time.monotonic() + seconds
    for process in processes:
        try:
            process.wait(None if end is None else max(0.0, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
    return True


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
        *("--deterministic=true", "--export=false", "--checkpoint-steps=20"),
        f"--worker-timeout={STARTUP * 5:.0f}",
        *(f"--runs-dir={folder / 'runs'}", *rest),
    ]

    began = time.monotonic()
    flags = [*base, "--name=undisturbed"]
    processes = start(flags, options.workers, folder)
    wait(processes, None)
    if any(process.returncode for process in processes):
        sys.exit(f"The undisturbed training failed; see {folder}.")
    seconds = time.monotonic() - began
    print(f"Undisturbed: {seconds:.0f} s", flush=True)

    flags = [*base, "--name=disturbed"]
    kills, slowest = 0, 0.0
    while kills < options.kills:
        # So that as many kills as asked for fit into the training.
        delay = chance.uniform(0, 2 * STARTUP + seconds / options.kills)
        processes = start(flags, options.workers, folder)
        if wait(processes, delay):
            break
        victim = chance.choice(processes)
        victim.send_signal(signal.SIGKILL)
        killed = time.monotonic()
        kills += 1
        if not wait(processes, PATIENCE):
            sys.exit(f"A worker still ran {PATIENCE:.0f} s after another was killed.")
        slowest = max(slowest, time.monotonic() - killed)
        print(f"kill {kills} after {delay:.1f} s", flush=True)
    wait(start(flags, options.workers, folder), None)

    runs = {
        name: outcome(folder / "runs" / name) for name in ("undisturbed", "disturbed")
    }
    table = Table(title=f"{kills} kills, {options.workers} worker(s)")
    table.add_column("")
    for name in runs:
        table.add_column(name, justify="right")
    table.add_column("equal")
    for key, value in runs["undisturbed"].items():
        other = runs["disturbed"][key]
        table.add_row(key, value, other, "yes" if value == other else "NO")
    if options.workers > 1:
        table.caption = f"All workers had ended {slowest:.0f} s after a kill at most."
    Console().print(table)
    sys.exit(runs["undisturbed"] != runs["disturbed"])


if __name__ == "__main__":
    main()

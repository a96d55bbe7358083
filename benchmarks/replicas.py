"""Trains the sample with one replica and with two, and compares the results.

    python benchmarks/replicas.py --epochs 10

    python benchmarks/replicas.py --epochs 10 --dropout 0

The two replicas are two logical CPUs under MirroredStrategy. They draw different
dropout from a single one, so the runs differ as much as two seeds do, and hardly at all
without dropout. Further flags go to `emkd train`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

COUNTS = (1, 2)
METRICS = ("NDCG@10", "HR@10", "MRR")
PROGRAM = """
import sys
import emkd_tf
import tensorflow as tf
from emkd_tf.cli import main

cpu = tf.config.list_physical_devices("CPU")[0]
logical = [tf.config.LogicalDeviceConfiguration() for _ in range(int(sys.argv[1]))]
tf.config.set_logical_device_configuration(cpu, logical)
sys.exit(main(["train", "--strategy=mirrored", *sys.argv[2:]]))
"""


def train(replicas: int, flags: list[str], log: Path) -> None:
    with log.open("a") as file:
        subprocess.run(
            [sys.executable, "-c", PROGRAM, str(replicas), *flags],
            stdout=file,
            stderr=file,
            check=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    options, rest = parser.parse_known_args()
    folder = Path(tempfile.mkdtemp(prefix="replicas-"))
    print(f"Logs in {folder}", flush=True)
    table = Table(
        "seed", "replicas", "last epoch's loss", *METRICS, title="sample, test"
    )
    for seed in options.seeds:
        for replicas in COUNTS:
            name = f"seed{seed}-replicas{replicas}"
            flags = [f"--runs-dir={folder}", f"--name={name}", f"--seed={seed}"]
            train(replicas, [*flags, "--export=false", *rest], folder / "log")
            run = folder / name
            loss = json.loads((run / "history.jsonl").read_text().splitlines()[-1])
            test = json.loads((run / "metrics.json").read_text())["test"]
            found = (loss["loss/total"], *(test[metric] for metric in METRICS))
            row = [str(seed), str(replicas), *(f"{value:.4f}" for value in found)]
            table.add_row(*row)
            print(*row, flush=True)
    Console().print(table)


if __name__ == "__main__":
    main()

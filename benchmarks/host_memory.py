"""Compares training that keeps the memory it frees with training that gives it back.

    python benchmarks/host_memory.py --dataset beauty --model sasrec --epochs 2

Takes the flags of `emkd train`. The two take turns, each time in a new process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from rich.console import Console
from rich.table import Table

ROUNDS = 2
TRAIN = """
import sys
from emkd_tf.cli import main
from emkd_tf.training import run, run_model

if sys.argv[1] == "given back":
    run.keep_freed_memory = run_model.keep_freed_memory = lambda: False
sys.exit(main(["train", *sys.argv[2:]]))
"""


def usage_of(how: str, flags: list[str]) -> tuple[float, float, int, int]:
    """Trains; returns user and system seconds, page faults and peak KiB."""
    with tempfile.TemporaryDirectory() as runs:
        own = ["--export=false", f"--runs-dir={runs}"]
        process = subprocess.Popen(
            [sys.executable, "-c", TRAIN, how, *flags, *own],
            stdout=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit("The training failed.")
    return usage.ru_utime, usage.ru_stime, usage.ru_minflt, usage.ru_maxrss


def main() -> None:
    table = Table(title=" ".join(["emkd train", *sys.argv[1:]]))
    for column in ("freed memory", "user s", "system s", "page faults", "peak GiB"):
        table.add_column(column, justify="right")
    for _ in range(ROUNDS):
        for how in ("given back", "kept"):
            user, system, faults, peak = usage_of(how, sys.argv[1:])
            row = f"{user:.1f}", f"{system:.1f}", f"{faults:,}", f"{peak / 2**20:.2f}"
            table.add_row(how, *row)
    Console().print(table)


if __name__ == "__main__":
    main()

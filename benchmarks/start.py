"""How long a user waits for the help, and for the first training step.

python benchmarks/start.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

REPOSITORY = Path(__file__).resolve().parent.parent
ROUNDS = 5
HELP = """
import sys
from emkd_tf.cli import main
main(["--help"])
sys.exit("tensorflow" in sys.modules)
"""


def help_seconds() -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", HELP],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=REPOSITORY,
    )
    return time.perf_counter() - began


def first_step_seconds() -> float:
    """From the command to the checkpoint that follows the first step; no cache."""
    with tempfile.TemporaryDirectory() as folder:
        flags = ("--name=start", "--checkpoint-steps=1", f"--runs-dir={folder}")
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "train.py", *flags, f"--cache-dir={folder}/cache"],
            cwd=REPOSITORY,
            stderr=subprocess.DEVNULL,
        )
        try:
            while not any(Path(folder).glob("start/checkpoints/last/*.index")):
                if process.poll() is not None:
                    raise SystemExit("train.py ended before its first step")
                time.sleep(0.05)
            return time.perf_counter() - began
        finally:
            process.kill()
            process.wait()


def main() -> None:
    waits = {
        "emkd --help, without TensorFlow": (help_seconds, 1.5),
        "python train.py, first step": (first_step_seconds, 25.0),
    }
    table = Table("", title="Start")
    for column in ("median s", "least s", "most s", "target s"):
        table.add_column(column, justify="right")
    for name, (seconds, target) in waits.items():
        times = [seconds() for _ in range(ROUNDS)]
        values = statistics.median(times), min(times), max(times), target
        table.add_row(name, *(f"{value:.2f}" for value in values))
    Console().print(table)


if __name__ == "__main__":
    main()

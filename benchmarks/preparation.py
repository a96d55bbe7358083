"""Time and memory to prepare a large synthetic log, in a separate process.

python benchmarks/preparation.py --rows 50000000
python benchmarks/preparation.py --rows 5000000 --engine spark --spark-master "local[2]"

Other flags go to `emkd prepare`.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table


def write_log(path: Path, rows: int, users: int, items: int) -> None:
    """Writes actions of random users on random items, favouring the first items."""
    log = pl.select(pl.int_range(rows).alias("number")).lazy()
    number, chance = pl.col("number"), pl.col("number").hash(1).cast(float) / 2.0**64
    text = (chance.pow(3) * items).cast(pl.Int64).cast(pl.String)
    log.select(
        (pl.lit("user-") + (number.hash(2) % users).cast(pl.String)).alias("user"),
        (pl.lit("item-") + text).alias("item"),
        (1_600_000_000 + number.hash(3) % 10**8).alias("timestamp"),
    ).sink_parquet(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000_000)
    parser.add_argument("--users", type=int, default=2_000_000)
    parser.add_argument("--items", type=int, default=200_000)
    options, others = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.parquet"
        write_log(log, options.rows, options.users, options.items)
        size = log.stat().st_size / 2**30
        began = time.perf_counter()
        program = "import sys; from emkd_tf.cli import main; sys.exit(main())"
        flags = [f"--interactions={log}", f"--cache-dir={folder}"]
        subprocess.run(
            [sys.executable, "-c", program, "prepare", *flags, *others],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    table = Table("rows", "Parquet GiB", "seconds", "peak memory GiB")
    table.add_row(f"{options.rows:,}", f"{size:.2f}", f"{seconds:.0f}", f"{peak:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()

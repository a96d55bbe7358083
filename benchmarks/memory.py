"""Memory of training and evaluation at growing sizes, each in its own process.

    python benchmarks/memory.py

"anonymous" is the process's own memory at its peak; "mapped" is pages of files, which
the system may drop at any time: TensorFlow's code, and the items read from disk.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from emkd_tf.config import from_flat
from emkd_tf.data.histories import Histories

# users, items, actions per user
TRAINING = [(20_000, 5_000, length) for length in (50, 500, 5_000)]
EVALUATION = [(users, 5_000, 20) for users in (2_000, 20_000, 200_000)]
EVALUATION += [(users, 50_000, 20) for users in (2_000, 20_000)]
SMALL = {"num_networks": 2, "hidden_units": 16, "num_blocks": 1, "num_views": 2}
STEPS = 200


def write_histories(folder: Path, users: int, items: int, length: int) -> None:
    """Writes a prepared dataset of random actions without holding it in memory."""
    actions = users * length
    numbers = np.random.default_rng(0)
    array = np.lib.format.open_memmap(folder / "items.npy", "w+", np.int32, (actions,))
    for first in range(0, actions, 10**6):
        part = array[first : first + 10**6]
        part[:] = numbers.integers(1, items + 1, size=len(part))
    array.flush()
    np.save(folder / "offsets.npy", np.arange(0, actions + 1, length, dtype=np.int64))
    np.save(folder / "attribute_offsets.npy", np.zeros(items + 1, np.int64))
    np.save(folder / "attribute_values.npy", np.zeros(0, np.int32))
    counts = {"users": users, "items": items, "actions": actions, "attributes": 0}
    description = {"name": "memory", "fingerprint": "", **counts}
    (folder / "dataset.json").write_text(json.dumps(description))


class Peak(threading.Thread):
    """Watches this process's memory, in MiB by kind."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.found = {"RssAnon": 0.0, "RssFile": 0.0}
        self.start()

    def run(self) -> None:
        while True:
            text = Path("/proc/self/status").read_text()
            for kind, most in self.found.items():
                now = int(re.search(rf"{kind}:\s+(\d+) kB", text)[1]) / 1024
                self.found[kind] = max(most, now)
            time.sleep(0.02)


def measure(what: str, folder: Path) -> None:
    """Trains or evaluates and prints what it took."""
    from emkd_tf.evaluation.evaluator import rank_users
    from emkd_tf.training.setup import build_model, compile_model, training_data

    config = from_flat(SMALL)
    histories = Histories.open(folder)
    peak = Peak()
    model = build_model(config, histories)
    if what == "training":
        compile_model(model, config, num_steps=100)
        batches = training_data(config, histories).batches()
        model.fit(batches, epochs=1, steps_per_epoch=STEPS, verbose=0)
    else:
        rank_users(model, histories, "test", members=True)
    print(json.dumps(peak.found))


def main() -> None:
    if len(sys.argv) > 1:
        measure(sys.argv[1], Path(sys.argv[2]))
        return
    columns = ("users", "items", "actions", "anonymous MiB", "mapped MiB")
    for what, sizes in (("training", TRAINING), ("evaluation", EVALUATION)):
        table = Table(*columns, title=what)
        for users, items, length in sizes:
            with tempfile.TemporaryDirectory() as folder:
                write_histories(Path(folder), users, items, length)
                process = subprocess.run(
                    [sys.executable, __file__, what, folder],
                    check=True,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
            found = json.loads(process.stdout.splitlines()[-1])
            numbers = (users, items, users * length, *map(round, found.values()))
            table.add_row(*(f"{number:,}" for number in numbers))
        Console().print(table)


if __name__ == "__main__":
    main()

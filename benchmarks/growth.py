"""Time per epoch and memory, as users or the windows of each user grow.

    python benchmarks/growth.py

Random actions and a small model; every row runs in its own process, which trains for a
whole epoch. "anonymous" is the process's own memory at its peak (see memory.py).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import seconds_of
from memory import SMALL, Peak, write_histories
from rich.console import Console
from rich.table import Table

from emkd_tf.config import from_flat
from emkd_tf.data.histories import Histories

ITEMS, WARM_UP = 1_000, 20
MODEL = {**SMALL, "num_networks": 1, "num_views": 1, "max_length": 15}
# users, actions per user: one window each, then 96
SIZES = [(20_000, 12), (200_000, 12), (2_000_000, 12), (20_000, 112)]


def measure(folder: Path) -> None:
    """Trains for an epoch and prints what it took."""
    from emkd_tf.training.setup import build_model, compile_model, training_data

    config = from_flat({**MODEL, "window_step": 1})
    histories = Histories.open(folder)
    peak = Peak()
    model = build_model(config, histories)
    compile_model(model, config, num_steps=100)
    data = training_data(config, histories)

    def train(steps: int) -> None:
        model.fit(data.batches(), epochs=1, steps_per_epoch=steps, verbose=0)

    train(WARM_UP)
    seconds = seconds_of(lambda: train(data.epoch_steps))
    examples = data.epoch_steps * config.training.batch_size
    print(json.dumps([examples, seconds, peak.found["RssAnon"]]))


def main() -> None:
    if len(sys.argv) > 1:
        measure(Path(sys.argv[1]))
        return
    columns = ("users", "actions", "windows", "epoch s", "windows/s", "anonymous MiB")
    table = Table(*columns)
    for users, length in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            write_histories(Path(folder), users, ITEMS, length)
            process = subprocess.run(
                [sys.executable, __file__, folder],
                check=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        examples, seconds, memory = json.loads(process.stdout.splitlines()[-1])
        numbers = (users, users * length, examples, seconds, examples / seconds, memory)
        table.add_row(*(f"{number:,.0f}" for number in numbers))
    Console().print(table)


if __name__ == "__main__":
    main()

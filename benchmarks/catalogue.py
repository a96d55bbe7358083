"""Time and memory of a training step as the catalogue grows, all items against sampled.

    python benchmarks/catalogue.py

Items are synthetic, and their popularity falls with their number. Users, lengths and
the model are as in Beauty's preset masked, with few attributes, because their dense
table also grows with the catalogue. Each row runs in its own process, so that its peak
memory is its own. All processes live at once and take turns, so that a busy machine
disturbs them equally.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

SETTINGS = {
    "num_networks": 3,
    "hidden_units": 64,
    "tie_item_embeddings": True,
    "num_views": 2,
    "window_step": 1000,
    "mask_probability": 0.2,
    "mask_at_least_one": True,
}
LOSSES = {
    "full": {"item_loss": "full", "optimizer": "adam"},
    "sampled": {"item_loss": "sampled", "optimizer": "lazy_adam"},
}
USERS, ATTRIBUTES = 20_000, 16
WARM_UP, MEASURED = 6, 15


def synthetic_histories(num_items: int):
    from emkd_tf.data.histories import Histories
    from emkd_tf.data.splits import leave_one_out

    rng = np.random.default_rng(0)
    lengths = 5 + rng.geometric(0.25, size=USERS)  # Beauty's mean of 8.9
    # The chance of item i falls as 1 / i.
    draws = rng.random(lengths.sum())
    items = np.minimum((num_items + 1) ** draws, num_items).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Histories(
        items=items,
        offsets=offsets,
        attribute_offsets=np.arange(num_items + 1),
        attribute_values=rng.integers(ATTRIBUTES, size=num_items),
        split=leave_one_out(offsets),
        description={"attributes": ATTRIBUTES},
        folder=Path(),
    )


def answer_steps(num_items: int, loss: str) -> None:
    """Runs a step for every input line and prints its seconds; at the end, prints the
    peak memory and the bytes of weights and moments."""
    import emkd_tf  # noqa: F401  chooses Keras 2 before TensorFlow loads

    # isort: split
    from emkd_tf.config import from_flat
    from emkd_tf.training.setup import build_model, compile_model, training_data

    config = from_flat({**SETTINGS, **LOSSES[loss]})
    histories = synthetic_histories(num_items)
    model = build_model(config, histories)
    compile_model(model, config, num_steps=100)
    step = model.make_train_function()
    batches = iter(training_data(config, histories).batches())
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "end":
            break
        began = time.perf_counter()
        float(step(batches)["loss/total"])
        print(time.perf_counter() - began, flush=True)
    kept = [*model.variables, *model.optimizer.variables]
    sizes = [v.shape.num_elements() * v.dtype.size for v in kept]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 2**10
    print(json.dumps([peak, sum(sizes)]), flush=True)


class Worker:
    """A process that runs a step when asked to."""

    def __init__(self, num_items: int, loss: str):
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--of", str(num_items), loss],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._answer()

    def _answer(self) -> str:
        if line := self._process.stdout.readline():
            return line
        raise SystemExit(f"{self._process.args} ended with {self._process.wait()}")

    def ask(self, word: str) -> str:
        print(word, file=self._process.stdin, flush=True)
        return self._answer()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--full", type=int, nargs="*", default=[12_000, 30_000], metavar="ITEMS"
    )
    parser.add_argument(
        "--sampled",
        type=int,
        nargs="*",
        default=[12_000, 100_000, 300_000, 1_000_000],
        metavar="ITEMS",
    )
    parser.add_argument("--of", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.of:
        answer_steps(int(options.of[0]), options.of[1])
        return
    rows = [(loss, n) for loss in LOSSES for n in sorted(getattr(options, loss))]
    workers = {row: Worker(row[1], row[0]) for row in rows}
    times = {row: [] for row in rows}
    for _ in range(WARM_UP + MEASURED):
        for row, worker in workers.items():
            times[row].append(float(worker.ask("step")))
    medians = {row: statistics.median(t[WARM_UP:]) for row, t in times.items()}
    table = Table(title="A training step, N = 3, M = 2, d = 64, L = 15, B = 256")
    for column in ("item loss", "items", "median s", "ratio", "peak GiB", "of it kept"):
        table.add_column(column, justify="right")
    for row, worker in workers.items():
        peak, kept = (size / 2**30 for size in json.loads(worker.ask("end")))
        ratio = medians[row] / medians[rows[0]]
        cells = f"{medians[row]:.3f}", f"{ratio:.2f}", f"{peak:.2f}", f"{kept:.2f}"
        table.add_row(row[0], f"{row[1]:,}", *cells)
    table.caption = "Kept: weights and the optimizer's moments."
    Console().print(table)


if __name__ == "__main__":
    main()

"""Examples per second: the input pipeline alone on one core, and what training uses.

    python benchmarks/input_pipeline.py --dataset beauty --preset masked

Takes the flags of `emkd train`. Batches and training steps take turns.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable

import emkd_tf  # noqa: F401  chooses Keras 2 before TensorFlow loads

# isort: split
from measure import Variant, take_turns
from rich.console import Console
from rich.table import Table
from training_step import make_step

from emkd_tf.config import Config
from emkd_tf.config.flags import read_settings
from emkd_tf.data.prepare import prepare
from emkd_tf.training.setup import training_data

BATCHES = 50  # at a time, since some are always ready


def make_batches(config: Config) -> Callable[[], None]:
    batches = iter(training_data(config, prepare(config.data)).batches())

    def fetch() -> None:
        for _ in range(BATCHES):
            next(batches)

    return fetch


def main() -> None:
    config = read_settings("input_pipeline", __doc__, sys.argv[1:]).config
    variants = {
        "input pipeline alone, one core": Variant(make_batches, config, core=0),
        "training, all cores": Variant(make_step, config),
    }
    times = take_turns(variants, warm_up=8, rounds=15)
    batch_size, counts = config.training.batch_size, (BATCHES, 1)
    rates = {
        name: count * batch_size / statistics.median(seconds)
        for count, (name, seconds) in zip(counts, times.items(), strict=True)
    }
    table = Table("", title=config.data.dataset)
    for column in ("examples/s", "of training", "peak GiB"):
        table.add_column(column, justify="right")
    eaten = rates["training, all cores"]
    for name, rate in rates.items():
        peak = variants[name].close()
        table.add_row(name, f"{rate:,.0f}", f"{rate / eaten:.1f}", f"{peak:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()

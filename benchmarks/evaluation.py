"""Time to rank every user's test item, compared with what the arithmetic needs.

    python benchmarks/evaluation.py --dataset beauty
    python benchmarks/evaluation.py --dataset beauty --preset masked

Takes the flags of `emkd train`; the model is not trained.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable

import emkd_tf  # noqa: F401  chooses Keras 2 before TensorFlow loads

# isort: split
import numpy as np
from measure import Variant, matrix_rates
from rich.console import Console
from rich.table import Table

from emkd_tf.config import Config
from emkd_tf.config.flags import read_settings
from emkd_tf.data.histories import Histories
from emkd_tf.data.prepare import prepare
from emkd_tf.evaluation.evaluator import rank_users
from emkd_tf.training.setup import build_model

ROUNDS = 5


def make_evaluation(config: Config) -> Callable[[], None]:
    histories = prepare(config.data)
    model = build_model(config, histories)
    return lambda: rank_users(model, histories, "test")


def operations(config: Config, histories: Histories) -> float:
    """Counts multiplications and additions: without padding, and in the last block only
    what the mask token needs."""
    model, d = config.model, config.model.hidden_units
    known = histories.known_lengths("test")
    lengths = np.minimum(known, config.data.max_length - 1) + 1.0  # with the mask token
    items, pairs, users = lengths.sum(), (lengths**2).sum(), len(lengths)
    whole_blocks = (model.num_blocks - 1) * (24 * d * d * items + 4 * d * pairs)
    last_block = 4 * d * d * items + 20 * d * d * users + 4 * d * items
    scores = 2 * users * (d + 1 / model.num_networks) * histories.num_items
    return model.num_networks * (whole_blocks + last_block + scores)


def main() -> None:
    config = read_settings("evaluation", __doc__, sys.argv[1:]).config
    histories = prepare(config.data)
    variant = Variant(make_evaluation, config)
    variant()
    times, rates = [], []
    for _ in range(ROUNDS):
        rates.append(matrix_rates()["float32"])
        times.append(variant())
    rates.append(matrix_rates()["float32"])
    rate, seconds = statistics.median(rates), statistics.median(times)
    work = operations(config, histories)
    cells = {
        "GFLOP": f"{work / 1e9:,.0f}",
        "float32 GFLOP/s": f"{rate / 1e9:.0f}",
        "arithmetic s": f"{work / rate:.2f}",
        "median s": f"{seconds:.2f}",
        "least s": f"{min(times):.2f}",
        "ratio": f"{seconds / (work / rate):.2f}",
        "peak GiB": f"{variant.close():.1f}",
    }
    table = Table(*cells, title=f"{config.data.dataset}: {histories.num_users:,} users")
    table.add_row(*cells.values())
    Console().print(table)


if __name__ == "__main__":
    main()

"""Time and memory of a training step on real batches, and what its arithmetic needs.

    python benchmarks/training_step.py --dataset beauty --preset masked
    python benchmarks/training_step.py --dataset beauty

Takes the flags of `emkd train`. The variants take turns, each in its own process.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable

import emkd_tf  # noqa: F401  chooses Keras 2 before TensorFlow loads

# isort: split
import tensorflow as tf
from measure import Variant, matrix_rates, take_turns
from rich.console import Console
from rich.table import Table

from emkd_tf.config import Config, from_flat, to_flat
from emkd_tf.config.flags import read_settings
from emkd_tf.data.prepare import prepare
from emkd_tf.special_ids import PAD_ID
from emkd_tf.training.setup import build_model, compile_model, training_data

WARM_UP, MEASURED = 12, 12  # kernels of new shapes are compiled in the first steps
VARIANTS = {
    "float32": {"precision": "float32", "fuse": False},
    "float32, fused": {"precision": "float32", "fuse": True},
    "bfloat16, fused": {"precision": "bfloat16", "fuse": True},
}


def make_step(config: Config) -> Callable[[], float]:
    """Builds the model of a config and returns its training step."""
    histories = prepare(config.data)
    model = build_model(config, histories)
    compile_model(model, config, num_steps=100)
    step = model.make_train_function()
    batches = iter(training_data(config, histories).batches())
    return lambda: float(step(batches)["loss/total"])


def useful_operations(config: Config, batch: dict, num_items: int, num_attributes: int):
    """Counts multiplications and additions of a step, without padding and for chosen
    positions only; a backward pass counts as two forward ones. For EMKD with masked
    items, or with the next item and neither attribute prediction nor contrast."""
    model, objective, d = config.model, config.objective, config.model.hidden_units
    lengths = tf.math.count_nonzero(batch["item_ids"] != PAD_ID, axis=1)
    is_masked = objective.task == "masked_item"
    rows = 1 + objective.num_views * is_masked
    items = rows * float(tf.reduce_sum(lengths))
    pairs = rows * float(tf.reduce_sum(lengths**2))
    chosen = float(tf.math.count_nonzero(batch["labels"]))
    candidates = {"full": num_items, "sampled": objective.num_sampled}
    forward = model.num_blocks * (24 * d * d * items + 4 * d * pairs)
    forward += 2 * chosen * d * (candidates[objective.item_loss] + 1)
    if is_masked:
        sequences = batch["item_ids"].shape[0]
        forward += 2 * float(tf.reduce_sum(lengths)) * d * num_attributes
        forward += 2 * model.num_networks * sequences**2 * config.data.max_length * d
    return 3 * model.num_networks * forward


def main() -> None:
    config = read_settings("training_step", __doc__, sys.argv[1:]).config
    histories = prepare(config.data)
    counts = histories.num_items, histories.num_attributes
    work = statistics.mean(
        useful_operations(config, batch, *counts)
        for batch in training_data(config, histories).batches().take(20)
    )
    variants = {
        name: Variant(make_step, from_flat({**to_flat(config), **own}))
        for name, own in VARIANTS.items()
    }
    before = matrix_rates()
    times = take_turns(variants, WARM_UP, MEASURED)
    after = matrix_rates()
    rates = {name: (before[name] + after[name]) / 2 for name in before}
    table = Table(
        title=f"{config.data.dataset}: {work / 1e9:.0f} GFLOP a step; one product: "
        + ", ".join(f"{name} {rate / 1e9:.0f} GFLOP/s" for name, rate in rates.items())
    )
    for column in ("step", "median s", "least s", "ratio", "of float32", "peak GiB"):
        table.add_column(column, justify="right")
    plain = statistics.median(times["float32"])
    for name, variant in variants.items():
        median, least = statistics.median(times[name]), min(times[name])
        table.add_row(
            name,
            f"{median:.3f}",
            f"{least:.3f}",
            f"{median / plain:.2f}",
            f"{work / median / rates['float32']:.0%}",
            f"{variant.close():.1f}",
        )
    table.caption = "Of float32: useful arithmetic a second, of that product's rate."
    Console().print(table)


if __name__ == "__main__":
    main()

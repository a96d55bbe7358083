"""Time of a training step on real batches, beside what its arithmetic needs.

    python benchmarks/training_step.py --dataset beauty --preset cpu
    python benchmarks/training_step.py --dataset beauty

Takes the flags of `emkd train`. Plain and fused steps take turns, so that a busy
machine disturbs both alike.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time

import emkd_tf  # noqa: F401  chooses Keras 2 before TensorFlow loads

# isort: split
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from emkd_tf.config import Config, from_flat, to_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.settings import read_settings
from emkd_tf.special_ids import PAD_ID
from emkd_tf.training.build import TrainingData, build_model, compile_model

WARM_UP, MEASURED = 12, 12  # kernels of new shapes are compiled in the first steps


def seconds_of(function) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def matrix_rate(dtype: tf.DType, size: int = 4096) -> float:
    """Measures multiplications and additions a second of one large product."""
    left = tf.cast(tf.random.normal([size, size]), dtype)
    product = tf.function(lambda: tf.matmul(left, left))
    product()
    return 2 * size**3 / statistics.median(seconds_of(product) for _ in range(5))


def useful_operations(config: Config, batch: dict, num_items: int, num_attributes: int):
    """Counts multiplications and additions of a step: items only, chosen positions
    only; a backward pass is two forward ones."""
    model, d = config.model, config.model.hidden_units
    lengths = tf.math.count_nonzero(batch["item_ids"] != PAD_ID, axis=1)
    rows = 1 + config.objective.num_views
    items = rows * float(tf.reduce_sum(lengths))
    pairs = rows * float(tf.reduce_sum(lengths**2))
    chosen = float(tf.math.count_nonzero(batch["labels"]))
    sequences = batch["item_ids"].shape[0]
    forward = (
        model.num_blocks * (24 * d * d * items + 4 * d * pairs)
        + 2 * chosen * d * (num_items + 1)
        + 2 * float(tf.reduce_sum(lengths)) * d * num_attributes
        + 2 * model.num_networks * sequences**2 * config.data.max_length * d
    )
    return 3 * model.num_networks * forward


def main() -> None:
    config, _ = read_settings("training_step", __doc__, sys.argv[1:])
    histories = prepare(config.data)
    rates = {d.name: matrix_rate(d) for d in (tf.float32, tf.bfloat16)}
    batches = TrainingData(config, histories).batches()
    steps = {}
    for fuse in (False, True):
        own = from_flat({**to_flat(config), "fuse": fuse})
        model = build_model(own, histories)
        compile_model(model, own)
        step, iterator = model.make_train_function(), iter(batches)
        steps[fuse] = lambda step=step, it=iterator: float(step(it)["loss/total"])
    first = {fuse: seconds_of(step) for fuse, step in steps.items()}
    for step in steps.values():
        for _ in range(WARM_UP):
            step()
    times = {fuse: [] for fuse in steps}
    for _ in range(MEASURED):
        for fuse, step in steps.items():
            times[fuse].append(seconds_of(step))
    work = statistics.mean(
        useful_operations(config, batch, histories.num_items, histories.num_attributes)
        for batch in batches.take(20)
    )
    table = Table(
        title=f"{config.data.dataset}: {work / 1e9:.0f} GFLOP a step; one product: "
        + ", ".join(f"{name} {rate / 1e9:.0f} GFLOP/s" for name, rate in rates.items())
    )
    for column in ("step", "first s", "median s", "ratio", "of the float32 rate"):
        table.add_column(column, justify="right")
    plain = statistics.median(times[False])
    for fuse, name in ((False, "plain"), (True, "fused")):
        median = statistics.median(times[fuse])
        share = work / median / rates["float32"]
        cells = f"{first[fuse]:.1f}", f"{median:.3f}", f"{median / plain:.2f}"
        table.add_row(name, *cells, f"{share:.0%}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    table.caption = f"Peak memory of both together {peak:.1f} GiB."
    Console().print(table)


if __name__ == "__main__":
    main()

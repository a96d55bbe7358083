"""Time of the matrix products alone: a lower bound for any step or evaluation.

    python benchmarks/products.py --dataset beauty
    python benchmarks/products.py --dataset beauty --precision bfloat16

Takes the flags of `emkd train`. Every product has the shape that it has in a training
step or in an evaluation of all users, and is repeated alone on the same inputs.
Evaluation is float32.
"""

from __future__ import annotations

import statistics
import sys
from typing import NamedTuple

import emkd_tf  # noqa: F401  chooses Keras 2 before TensorFlow loads

# isort: split
import numpy as np
import tensorflow as tf
from measure import matrix_rates, seconds_of
from rich.console import Console
from rich.table import Table

from emkd_tf.config import Config
from emkd_tf.config.flags import read_settings
from emkd_tf.data.histories import Histories
from emkd_tf.data.prepare import prepare
from emkd_tf.evaluation.evaluator import chunk_users
from emkd_tf.kernels.precision import matmul
from emkd_tf.models.item_losses import CHUNK_POSITIONS
from emkd_tf.special_ids import PAD_ID
from emkd_tf.training.setup import training_data

ROUNDS = 9


class Product(NamedTuple):
    """A forward product, and the two of its gradient if it has one."""

    name: str
    left: list[int]
    right: list[int]
    transpose_b: bool
    times: int
    has_gradient: bool = True

    def operations(self) -> float:
        """Counts multiplications and additions, forward and backward."""
        columns = self.right[-2] if self.transpose_b else self.right[-1]
        forward = 2 * columns * float(tf.reduce_prod(tf.cast(self.left, tf.float64)))
        return 3 * forward if self.has_gradient else forward

    def seconds(self, dtype: tf.DType) -> float:
        """Measures the median time."""
        left, right = (
            tf.cast(tf.random.normal(x), dtype) for x in (self.left, self.right)
        )
        multiply = tf.matmul if len(self.left) > 2 else matmul
        options = {} if multiply is tf.matmul else {"precision": dtype.name}

        @tf.function
        def run(left: tf.Tensor, right: tf.Tensor, upstream: tf.Tensor) -> list:
            if not self.has_gradient:
                return multiply(left, right, transpose_b=self.transpose_b, **options)
            with tf.GradientTape() as tape:
                tape.watch([left, right])
                product = multiply(left, right, transpose_b=self.transpose_b, **options)
            return [product, *tape.gradient(product, [left, right], upstream)]

        product = multiply(left, right, transpose_b=self.transpose_b, **options)
        run(left, right, product)
        return statistics.median(
            seconds_of(lambda: run(left, right, product)) for _ in range(ROUNDS)
        )


def of_step(config: Config, histories: Histories) -> list[Product]:
    """Lists the products of a step on batches of average size."""
    model, d = config.model, config.model.hidden_units
    batches = list(training_data(config, histories).batches().take(10))
    views = 1 + config.objective.num_views
    items = statistics.mean(
        views * int(tf.math.count_nonzero(b["item_ids"] != PAD_ID)) for b in batches
    )
    chosen = statistics.mean(int(tf.math.count_nonzero(b["labels"])) for b in batches)
    tokens, chunks = round(items), round(model.num_networks * chosen / CHUNK_POSITIONS)
    blocks = model.num_networks * model.num_blocks
    heads = model.num_heads
    length = config.data.max_length
    parts = [views * config.training.batch_size, heads, length, d // heads]
    weights = [*parts[:2], length, length]
    rows = histories.num_items + 1
    return [
        *(Product(name, [tokens, k], [k, n], False, blocks) for name, k, n in dense(d)),
        Product("query by key", parts, parts, True, blocks),
        Product("attention by value", weights, parts, False, blocks),
        Product("item logits", [CHUNK_POSITIONS, d], [rows, d], True, chunks),
    ]


def dense(d: int) -> list[tuple[str, int, int]]:
    """Names, inputs and outputs of a block's products with weights."""
    first = [("query, key, value", d, 3 * d), ("attention output", d, d)]
    return [*first, ("expand", d, 4 * d), ("contract", 4 * d, d)]


def of_evaluation(config: Config, histories: Histories) -> list[Product]:
    """Lists the products of ranking all users' test items, in chunks of average
    size."""
    model, d, num_items = config.model, config.model.hidden_units, histories.num_items
    known = histories.known_lengths("test")
    lengths = np.minimum(known, config.data.max_length - 1) + 1  # with the mask token
    users = chunk_users(num_items)
    chunks = round(len(lengths) / users)
    tokens = round(users * lengths.mean())
    last = chunks * model.num_networks  # blocks that only compute the mask token
    whole = last * (model.num_blocks - 1)
    width = model.num_networks * d + 1
    name, *shape = dense(d)[0]
    return [
        Product(name, [tokens, shape[0]], shape, False, whole + last, False),
        *(
            Product(name, [tokens, k], [k, n], False, whole, False)
            for name, k, n in dense(d)[1:]
        ),
        *(
            Product(f"{name}, mask token", [users, k], [k, n], False, last, False)
            for name, k, n in dense(d)[1:]
        ),
        Product("scores", [users, width], [num_items, width], True, chunks, False),
    ]


def measured(title: str, products: list[Product], precision: str) -> Table:
    """Measures all products and their total."""
    rate = matrix_rates()[precision]
    table = Table(
        title=f"{title}, {precision}: one large product {rate / 1e9:.0f} GFLOP/s"
    )
    columns = ("product", "left", "right", "times", "ms", "GFLOP/s", "share")
    for column in columns:
        table.add_column(column, justify="right")
    total = work = 0.0
    for product in products:
        seconds = product.seconds(tf.as_dtype(precision))
        total += product.times * seconds
        work += product.times * product.operations()
        speed = product.operations() / seconds
        table.add_row(
            product.name,
            str(product.left),
            str(product.right) + (" transposed" if product.transpose_b else ""),
            str(product.times),
            f"{1e3 * seconds:.1f}",
            f"{speed / 1e9:.0f}",
            f"{speed / rate:.0%}",
        )
    table.add_section()
    table.add_row(
        *("all", "", "", "", f"{1e3 * total:.0f}", f"{work / total / 1e9:.0f}"),
        f"{work / total / rate:.0%}",
    )
    return table


def main() -> None:
    config = read_settings("products", __doc__, sys.argv[1:]).config
    histories = prepare(config.data)
    precision, name = config.training.precision, config.data.dataset
    step = of_step(config, histories)
    Console().print(measured(f"A step, with gradients: {name}", step, precision))
    evaluation = of_evaluation(config, histories)
    Console().print(measured(f"An evaluation: {name}", evaluation, "float32"))


if __name__ == "__main__":
    main()

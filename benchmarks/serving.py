"""What serving costs: an export of untrained networks against its products alone.

    python benchmarks/serving.py --dataset beauty

Takes the flags of `emkd train`. The floor is a SavedModel that only multiplies matrices
of the same shapes, asked in the same way and in turn with the export.
"""

from __future__ import annotations

import dataclasses
import statistics
import sys
import tempfile
import time
from pathlib import Path

import emkd_tf  # noqa: F401  chooses Keras 2 before TensorFlow loads

# isort: split
import c_runtime
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from emkd_tf.config import from_flat, to_flat
from emkd_tf.config.flags import read_settings
from emkd_tf.data.prepare import prepare
from emkd_tf.export.saved_model import export_saved_model
from emkd_tf.models.recommender import Recommender
from emkd_tf.retrieval.batch import own_histories, write_recommendations
from emkd_tf.retrieval.recommend import VectorRecommender
from emkd_tf.training.setup import build_model

ROUNDS, RUNS = 6, 50  # per question, plus 10 at the start of a round to warm up
WARM_UP = 10


@dataclasses.dataclass(frozen=True)
class Case:
    """A batch of histories of equal length, sent to a signature."""

    batch: int
    length: int
    signature: str = "serving_default"

    def question(self, names: list[str], separator: str) -> dict:
        chosen = np.random.default_rng(0).choice(names, [self.batch, self.length])
        rows = chosen.tolist()
        if self.signature == "history_joined":
            rows = [separator.join(row) for row in rows]
        return {"signature": self.signature, "inputs": {"history": rows}}


CASES = (
    Case(1, 14),
    Case(1, 14, "history_joined"),
    Case(1, 3),
    Case(64, 14),
    Case(64, 3),
)


class Floor(tf.Module):
    """The matrix products of scoring items for histories of `length` items."""

    def __init__(
        self, model: Recommender, num_blocks: int, num_heads: int, length: int
    ):
        super().__init__()
        self._tokens, self._heads, self._blocks = length + 1, num_heads, num_blocks
        self._width = model.towers[0].width
        self._tables = [t.serving_table() for t in model.towers]

        def kernels(of: int, to: int) -> list[tf.Variable]:
            count = len(self._tables) * num_blocks
            shape = [of * self._width, to * self._width]
            return [tf.Variable(tf.random.normal(shape)) for _ in range(count)]

        self._project, self._mix = kernels(1, 3), kernels(1, 1)
        self._expand, self._contract = kernels(1, 4), kernels(4, 1)

    @tf.function(input_signature=[tf.TensorSpec([None, None], tf.string, "history")])
    def multiply(self, history: tf.Tensor) -> dict[str, tf.Tensor]:
        batch, width = tf.shape(history)[0], self._width
        best = []
        for number, table in enumerate(self._tables):
            tokens = tf.fill([batch * self._tokens, width], 0.01)
            for block in range(self._blocks):
                place = number * self._blocks + block
                parts = tf.matmul(tokens, self._project[place])
                shape = [batch, self._heads, self._tokens, 3, width // self._heads]
                query, key, value = tf.unstack(tf.reshape(parts, shape), axis=3)
                if block == self._blocks - 1:  # only the last place is needed
                    query = query[:, :, -1:]
                mixed = tf.matmul(tf.matmul(query, key, transpose_b=True), value)
                tokens = tf.matmul(tf.reshape(mixed, [-1, width]), self._mix[place])
                inner = tf.matmul(tokens, self._expand[place])
                tokens = tf.matmul(inner, self._contract[place])
            best.append(tf.matmul(tokens, table, transpose_b=True)[:, :1])
        return {"scores": tf.concat(best, axis=1)}


def milliseconds(runs: list[float]) -> tuple[float, float]:
    """Returns the median and 99th percentile of microseconds, in ms."""
    return statistics.median(runs) / 1e3, float(np.percentile(runs, 99)) / 1e3


def in_python(export: Path, question: dict) -> float:
    """Returns the median in ms of the same call from Python."""
    signature = tf.saved_model.load(str(export)).signatures[question["signature"]]
    history = tf.constant(question["inputs"]["history"])
    runs = []
    for _ in range(WARM_UP + RUNS):
        began = time.perf_counter()
        signature(history=history)
        runs.append((time.perf_counter() - began) * 1e6)
    return milliseconds(runs[WARM_UP:])[0]


def main() -> None:
    config = read_settings("serving", __doc__, sys.argv[1:]).config
    folder = Path(tempfile.mkdtemp(prefix="serving-"))
    histories = prepare(config.data)
    model = build_model(config, histories)
    began = time.perf_counter()
    export, _ = export_saved_model(model.ensemble, histories, folder / "model")
    seconds = time.perf_counter() - began
    size = sum(path.stat().st_size for path in export.rglob("*") if path.is_file())
    weights = sum(w.numpy().nbytes for t in model.towers for w in t.serving_variables)

    program = c_runtime.build(folder)
    names, separator = (
        histories.item_ids(),
        VectorRecommender(model.ensemble, histories).separator,
    )
    table = Table(
        title=f"{config.data.dataset}: {len(model.towers)} networks, "
        f"d = {config.model.hidden_units}, {histories.num_items:,} items; ms"
    )
    columns = ("floor", "median", "99 %", "ratio", "a second", "in Python")
    for column in ("signature", "batch", "items", *columns):
        table.add_column(column, justify="left" if column == "signature" else "right")
    for case in CASES:
        question = case.question(names, separator)
        floor = folder / f"floor-{case.length}"
        if not floor.exists():
            sizes = config.model.num_blocks, config.model.num_heads
            module = Floor(model, *sizes, case.length)
            tf.saved_model.save(module, str(floor), signatures=module.multiply)
        padded = Case(case.batch, case.length).question(names, separator)
        asked = {floor: padded, export: question}
        runs = {path: [] for path in asked}
        for _ in range(ROUNDS):
            for path, of_path in asked.items():
                _, ((*micros,),) = c_runtime.ask(
                    program, path, [of_path], WARM_UP + RUNS
                )
                runs[path] += micros[WARM_UP:]
        least = milliseconds(runs[floor])[0]
        median, slow = milliseconds(runs[export])
        numbers = (least, median, slow, median / least)
        cells = [f"{x:.2f}" for x in numbers]
        cells.append(f"{case.batch / median * 1e3:,.0f}")
        cells.append(f"{in_python(export, question):.2f}")
        table.add_row(case.signature, str(case.batch), str(case.length), *cells)
    table.caption = (
        f"Exported and verified in {seconds:.0f} s; {size / weights:.3f} times the "
        f"size of its weights; `emkd recommend` at d = 64: {recommending(config):,.0f} "
        "histories/s."
    )
    Console(width=100).print(table)


def recommending(config) -> float:
    """Returns the histories per second from a dataset to a file, at d = 64, k = 100."""
    small = from_flat({**to_flat(config), "hidden_units": 64})
    histories = prepare(small.data)
    recommender = VectorRecommender(build_model(small, histories).ensemble, histories)
    output = Path(tempfile.mkdtemp(prefix="serving-")) / "lists.parquet"
    began = time.perf_counter()
    summary = write_recommendations(recommender, own_histories(histories), output, 100)
    return summary.histories / (time.perf_counter() - began)


if __name__ == "__main__":
    main()

"""Trains from the programs of `lower.py`, with JAX alone.

    python benchmarks/accelerator/drive.py reports/program --seconds 540

Trains whole epochs for as long as it is told, stages one after another, and writes each
stage's state, best weights and history to `training.npz` in its folder, so that the
same command goes on from there. Products of float32 are computed in full, unless --tf32
is given.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# This module of the package needs nothing of it; the package itself asks for Keras.
sys.path.append(str(Path(__file__).resolve().parents[2] / "emkd_tf" / "evaluation"))
from metrics import SELECTION_METRIC, summarize

Arrays = dict[str, Any]
ENSEMBLE = "ensemble"
SAVE_SECONDS = 60.0
_WEIGHTS = ("towers/", "heads/")


def load(path: Path, about: dict[str, Any]) -> Callable[..., Any]:
    """Returns a program as a function of its inputs.

    JAX has no way in for a module that it has not lowered itself: an empty function of
    the same inputs and outputs is exported, and its module replaced.
    """
    import jax
    from jax import export

    def shapes(key: str) -> list[jax.ShapeDtypeStruct]:
        return [jax.ShapeDtypeStruct(tuple(s), np.dtype(t)) for s, t in about[key]]

    def zeros(*_: jax.Array) -> tuple[jax.Array, ...]:
        return tuple(jax.numpy.zeros(s.shape, s.dtype) for s in shapes("output_shapes"))

    empty = export.export(jax.jit(zeros, keep_unused=True))(*shapes("input_shapes"))
    return dataclasses.replace(empty, mlir_module_serialized=path.read_bytes()).call


def shuffled(numbers: np.ndarray, num_rows: int, seed: int) -> np.ndarray:
    """Returns the rows of the examples of a stream: example g is in pass g // num_rows
    over all rows, in an order drawn anew for each pass.

    Args:
        numbers: [n] int64, ascending.
        num_rows: rows there are.
        seed: of the orders.

    Returns:
        [n] int64 rows.
    """
    passes = np.arange(numbers[0] // num_rows, numbers[-1] // num_rows + 1)
    orders = [np.random.default_rng((seed, p)).permutation(num_rows) for p in passes]
    return np.concatenate(orders)[numbers - passes[0] * num_rows]


@dataclasses.dataclass
class Progress:
    """How far a stage is.

    Attributes:
        epoch: epochs so far.
        best, best_epoch: of the validation.
        since: validations after the best one.
        seconds: of training.
        history: a line an epoch.
    """

    epoch: int = 0
    best: float = -math.inf
    best_epoch: int = 0
    since: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = dataclasses.field(default_factory=list)


class Stage:
    """A stage of a training: its programs, and its data and state on the device.

    Args:
        folder: that `lower.py` has written, and perhaps a process like this one.

    Attributes:
        about: what `lower.py` says of it.
        progress, state, best: of the training; the best weights are on the host.
        is_begun: another process has trained it.
    """

    def __init__(self, folder: Path):
        import jax

        jax.config.update("jax_enable_x64", True)  # steps and rows are int64
        self.about = json.loads((folder / "stage.json").read_text())
        with np.load(folder / "arrays.npz") as file:
            arrays = dict(file)
        step = self.about["step"]
        self._validation = _popped(arrays, "validation/")
        changed = [name for name in step["outputs"] if name in arrays]
        self.state: Arrays = {name: arrays.pop(name) for name in changed}
        self._data = jax.device_put(arrays)
        self._saved = folder / "training.npz"
        self.is_begun = self._saved.exists()
        self.progress, self.best = Progress(), dict[str, Any]()
        if self.is_begun:
            self._restore()
        run = self._steps(load(folder / "step.vhlo", step))
        self._run = jax.jit(run, donate_argnums=0)
        if self._validation:
            rank = load(folder / "rank.vhlo", self.about["rank"])
            self._rank = jax.jit(rank)

    @property
    def is_done(self) -> bool:
        is_out = 0 < self.about["patience"] <= self.progress.since
        return is_out or self.progress.epoch >= self.about["epochs"]

    def _restore(self) -> None:
        with np.load(self._saved) as file:
            arrays = dict(file)
        self.progress = Progress(**json.loads(str(arrays["progress"])))
        self.state, self.best = _popped(arrays, "state/"), _popped(arrays, "best/")

    def save(self) -> None:
        unfinished = self._saved.with_name("unfinished.npz")
        np.savez(
            unfinished,
            progress=json.dumps(dataclasses.asdict(self.progress)),
            **{f"state/{name}": np.asarray(v) for name, v in self.state.items()},
            **{f"best/{name}": v for name, v in self.best.items()},
        )
        os.replace(unfinished, self._saved)

    def _steps(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """Returns many steps as one program, with the means over them."""
        import jax

        inputs, outputs = self.about["step"]["inputs"], self.about["step"]["outputs"]

        def run(state: Arrays, data: Arrays, rows: Any, first: Any) -> Any:
            def one(state: Arrays, batch: Any) -> tuple[Arrays, Arrays]:
                known = {**data, **state, "rows": batch[0], "first": batch[1]}
                found = step(*(known[name] for name in inputs))
                named = dict(zip(outputs, found, strict=True))
                return {name: named.pop(name) for name in state}, named

            state, means = jax.lax.scan(one, state, (rows, first))
            return state, {name: values[-1] for name, values in means.items()}

        return run

    def train_epoch(self) -> dict[str, float]:
        """Trains the next epoch; returns the means of its losses."""
        steps, size = self.about["epoch_steps"], self.about["batch_size"]
        first = self.progress.epoch * steps * size
        numbers = np.arange(first, first + steps * size)
        rows = shuffled(numbers, self.about["rows"], self.about["seed"])
        for name in self.state:
            if name.startswith("means/"):
                self.state[name] = np.zeros_like(self.state[name])
        batches = rows.reshape(steps, size), numbers[::size]
        self.state, means = self._run(self.state, self._data, *batches)
        self.progress.epoch += 1
        return {name: float(value) for name, value in means.items()}

    def validate(self) -> dict[str, float]:
        """Returns the metrics of the ensemble and of each network, by name."""
        about = self.about["rank"]
        found: dict[str, list[np.ndarray]] = {name: [] for name in about["outputs"]}
        for number, rows in enumerate(self._validation["rows"]):
            chunk = {name: values[number] for name, values in self._validation.items()}
            known = {**self._data, **self.state, **chunk}
            ranks = self._rank(*(known[name] for name in about["inputs"]))
            for of_member, values in zip(found.values(), ranks, strict=True):
                of_member.append(np.asarray(values)[rows >= 0])
        return {
            f"{'validation' if name == ENSEMBLE else name}/{metric}": value
            for name, of_member in found.items()
            for metric, value in summarize(np.concatenate(of_member)).items()
        }

    def start_from(self, before: Stage) -> None:
        """Takes the towers of the stage before as its own."""
        towers = {n: v for n, v in before.best.items() if n.startswith("towers/")}
        self.state |= {name: v for name, v in towers.items() if name in self.state}
        self.progress.seconds = before.progress.seconds

    def keep_best(self, line: dict[str, Any]) -> None:
        """Keeps the weights if the epoch's validation is the best so far, or if it is
        the last epoch of a stage that is not validated."""
        progress, value = self.progress, line.get(f"validation/{SELECTION_METRIC}")
        if value is not None:
            progress.since += 1
        is_last = not self._validation and progress.epoch == self.about["epochs"]
        if is_last or (value is not None and value > progress.best):
            progress.best = progress.best if value is None else value
            progress.best_epoch, progress.since = progress.epoch, 0
            weights = (name for name in self.state if name.startswith(_WEIGHTS))
            self.best = {name: np.array(self.state[name]) for name in weights}


def _popped(arrays: Arrays, prefix: str) -> Arrays:
    names = [name for name in arrays if name.startswith(prefix)]
    return {name.removeprefix(prefix): arrays.pop(name) for name in names}


def train(stage: Stage, until: float) -> None:
    """Trains a stage until it is done or the next epoch would take too long.

    Args:
        stage: to train.
        until: of `time.monotonic`.
    """
    every, progress = stage.about["validation_every"], stage.progress
    took, saved = 0.0, time.monotonic()
    while not stage.is_done and time.monotonic() + took < until:
        began = time.monotonic()
        means = stage.train_epoch()
        step = progress.epoch * stage.about["epoch_steps"]
        line = {"epoch": progress.epoch, "step": step, **means}
        if every and not (progress.epoch % every and not stage.is_done):
            line |= stage.validate()
        stage.keep_best(line)
        took = time.monotonic() - began  # the first one compiles, too
        progress.seconds += took
        line["seconds"] = round(progress.seconds, 1)
        progress.history.append(line)
        print(json.dumps(line), flush=True)
        if time.monotonic() - saved > SAVE_SECONDS:
            stage.save()
            saved = time.monotonic()
    stage.save()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--seconds", type=float, default=540.0, help="to spend")
    parser.add_argument("--tf32", action="store_true")
    given = parser.parse_args()
    until = time.monotonic() + given.seconds
    if not given.tf32:
        os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
    before = None
    for folder in sorted(path.parent for path in given.program.glob("*/stage.json")):
        stage = Stage(folder)
        if before is not None and not stage.is_begun:
            stage.start_from(before)
        train(stage, until)
        if not stage.is_done:
            print(f"Stopped after epoch {stage.progress.epoch}; repeat the command.")
            return
        before = stage
    print("Done; collect.py makes a run of it.")


if __name__ == "__main__":
    main()

"""Makes a run of what `drive.py` has trained.

    python benchmarks/accelerator/collect.py reports/program --name paper

Writes a run directory with the checkpoints and the history. `emkd train` with the
settings in its `config.yaml` goes on from it as from any other: it evaluates and
exports a training that is done, and trains the rest of one that is not.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import emkd_tf  # noqa: F401  chooses Keras 2 before TensorFlow loads

# isort: split
import numpy as np
import tensorflow as tf
from drive import Progress
from rich.console import Console
from state import state_of

from emkd_tf.atomic_files import write_text
from emkd_tf.config import Config
from emkd_tf.data.prepare import prepare
from emkd_tf.training import run_dir as run_directory
from emkd_tf.training.run_config import read_config
from emkd_tf.training.setup import stages_of
from emkd_tf.training.strategy import make_strategy
from emkd_tf.training.trainer import Trainer


def collect(program: Path, config: Config) -> Path:
    """Writes the run of a config from the last stage that was trained.

    Args:
        program: folder of `lower.py` and `drive.py`.
        config: of the run.

    Returns:
        The run directory.
    """
    histories = prepare(config.data)
    run_dir = run_directory.open_or_create(config, histories)
    strategy = make_strategy(config.training.strategy, config.training.worker_timeout)
    lines: list[str] = []
    for number, stage in enumerate(stages_of(config)):
        path = program / str(number) / "training.npz"
        if not path.exists():
            break
        with np.load(path) as file:
            arrays = dict(file)
        progress = Progress(**json.loads(str(arrays["progress"])))
        name = {} if stage.name is None else {"stage": stage.name}
        lines += [json.dumps({**name, **line}) + "\n" for line in progress.history]
        trainer = Trainer(stage, histories, strategy, run_dir, Console(quiet=True))
        _fill(trainer, progress, arrays)
    write_text(run_dir.path / "history.jsonl", "".join(lines))
    return run_dir.path


def _fill(
    trainer: Trainer, progress: Progress, arrays: Mapping[str, np.ndarray]
) -> None:
    """Gives a trainer the state of a training, and saves it as its own."""
    state, own = state_of(trainer.model), trainer.progress
    own.best.assign(progress.best)
    own.best_epoch.assign(progress.best_epoch)
    own.validations_since.assign(progress.since)
    own.seconds.assign(progress.seconds)
    if progress.best_epoch:
        _assign(state, arrays, "best/")
        trainer.checkpoints.save_best(progress.best_epoch)
    _assign(state, arrays, "state/")
    trainer.checkpoints.save_last()


def _assign(
    state: Mapping[str, tf.Variable], arrays: Mapping[str, np.ndarray], prefix: str
) -> None:
    for name, value in arrays.items():
        if name.startswith(prefix):
            state[name.removeprefix(prefix)].assign(value)


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("program", type=Path)
    parser.add_argument("--runs-dir", default="runs")
    parser.add_argument("--name", required=True)
    given = parser.parse_args(arguments)
    config = read_config(given.program)
    run = dataclasses.replace(config.run, runs_dir=given.runs_dir, name=given.name)
    path = collect(given.program, dataclasses.replace(config, run=run))
    print(f"emkd train --config {path / 'config.yaml'}")


if __name__ == "__main__":
    main(sys.argv[1:])

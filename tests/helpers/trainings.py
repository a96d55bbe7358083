"""Trainings as processes, and what must be equal of two of them."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import tensorflow as tf
from command_line import flags

TRAIN = Path(__file__).resolve().parents[2] / "train.py"


def start(settings, log):
    """Starts a training that writes its standard error to a file."""
    command = [sys.executable, str(TRAIN), *flags(settings)]
    return subprocess.Popen(command, stderr=log.open("w"), stdout=subprocess.DEVNULL)


def train(settings):
    """Trains in a process of its own, which must not fail; returns it."""
    process = subprocess.run(
        [sys.executable, TRAIN.name, *flags(settings)],
        capture_output=True,
        text=True,
        check=False,
        cwd=TRAIN.parent,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    return process


def assert_same_outcome(run, other):
    """Metrics, history, checkpoint and ranks of two runs are equal, times aside."""
    *texts, ranks = _outcome(run)
    *other_texts, other_ranks = _outcome(other)
    for one, two in zip(texts, other_texts, strict=True):
        assert one == two
    assert ranks.equals(other_ranks)


def _outcome(run):
    metrics = json.loads((run / "metrics.json").read_text())
    metrics.pop("seconds")
    history = [json.loads(line) for line in (run / "history.jsonl").open()]
    for line in history:
        line.pop("examples_per_second")
        line.pop("processor_seconds")
    weights = tf.train.load_checkpoint(str(run / "checkpoints" / "last"))
    tensors = {
        name: weights.get_tensor(name).tolist()
        for name in sorted(weights.get_variable_to_shape_map())
        if "seconds" not in name and "OBJECT_GRAPH" not in name
    }
    return metrics, history, tensors, pl.read_parquet(run / "per_user.parquet")

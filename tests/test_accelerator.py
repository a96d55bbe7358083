"""Trainings from lowered programs against the ordinary ones."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import tensorflow as tf
from command_line import flags

from emkd_tf.config.flags import read_settings
from emkd_tf.data.examples.candidates import Candidates
from emkd_tf.data.examples.stream import Stream
from emkd_tf.errors import InputError
from emkd_tf.training.run import train

lower = pytest.importorskip("lower", reason="programs are lowered with jax")
collect, drive = pytest.importorskip("collect"), pytest.importorskip("drive")

# Masks, networks and exchange; partners and candidates; two stages.
MODELS = {
    "emkd": {"model": "emkd", "task": "masked_item"},
    "duorec": {"model": "duorec", "item_loss": "sampled", "num_sampled": 8},
    "s3rec": {"model": "s3rec", "pretrain_epochs": 2, "pretrain_batch_size": 32},
}


@pytest.fixture(params=MODELS)
def settings(request, tiny_settings, tiny_attributes):
    """Of about 20 steps."""
    base = {**tiny_settings, "attributes": str(tiny_attributes), "epochs": 5}
    if request.param != "emkd":
        base = {k: v for k, v in base.items() if k not in ("num_networks", "num_views")}
    return {**base, **MODELS[request.param], "batch_size": 16, "jit_compile": True}


@pytest.fixture
def drive_alone(tmp_path):
    """Runs `drive.py` in a process that has no TensorFlow and no EMKD-TF."""
    folder = tmp_path / "without"
    folder.mkdir()
    for name in ("tensorflow", "tf_keras", "keras", "emkd_tf"):
        (folder / f"{name}.py").write_text("raise ImportError('not here')")

    def run(program):
        process = subprocess.run(
            [sys.executable, drive.__file__, str(program)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(folder)},
        )
        assert process.returncode == 0, process.stderr[-2000:]
        assert "Done" in process.stdout

    return run


def lines_of(run_dir):
    return [json.loads(line) for line in (run_dir / "history.jsonl").open()]


@pytest.fixture
def same_draws(monkeypatch):
    """Lets the ordinary training draw as the lowered one does: from equal seeds XLA
    draws other numbers than tf.data, and numpy other orders."""
    for kind, name in ((Stream, "_draws"), (Candidates, "draw")):
        plain = getattr(kind, name)

        def compiled(*arguments, plain=plain):
            return tf.function(plain, jit_compile=True, autograph=False)(*arguments)

        monkeypatch.setattr(kind, name, compiled)

    def row_of(stream, number):
        num_rows = len(stream._examples.rows)

        def shuffled(number):
            return drive.shuffled(np.array([number]), num_rows, stream._seed)[0]

        row = tf.numpy_function(shuffled, [number], tf.int64, stateful=False)
        return tf.ensure_shape(row, []), number // num_rows

    monkeypatch.setattr(Stream, "_row_of", row_of)


@pytest.mark.slow
@pytest.mark.usefixtures("same_draws")
def test_a_lowered_training_is_the_ordinary_one(settings, tmp_path, drive_alone):
    program = tmp_path / "program"
    lower.main([str(program), *flags(settings)])
    drive_alone(program)
    runs = Path(settings["runs_dir"])
    collect.main([str(program), "--runs-dir", str(runs), "--name", "lowered"])
    lowered, ordinary = runs / "lowered", runs / "tiny"
    for path in (lowered, ordinary):
        own = flags({**settings, "name": path.name, "export": False})
        train(read_settings("train", None, own).config)

    for one, other in zip(lines_of(lowered), lines_of(ordinary), strict=True):
        losses = {name: v for name, v in one.items() if name.startswith("loss/")}
        assert losses == pytest.approx({n: other[n] for n in losses}, rel=1e-4)
        assert one["step"] == other["step"]
    assert weights_of(lowered)
    for name, weights in weights_of(lowered).items():
        expected = weights_of(ordinary)[name]
        np.testing.assert_allclose(weights, expected, atol=2e-4, err_msg=name)
    ranks = pl.read_parquet(lowered / "per_user.parquet")
    expected = pl.read_parquet(ordinary / "per_user.parquet")
    for split in ("validation_unseen", "test_unseen"):
        assert (ranks[split] == expected[split]).mean() > 0.95
    one, other = (
        json.loads((path / "metrics.json").read_text()) for path in (lowered, ordinary)
    )
    assert one["best_epoch"] == other["best_epoch"]


def weights_of(run_dir):
    path = tf.train.latest_checkpoint(str(run_dir / "checkpoints" / "last"))
    reader = tf.train.load_checkpoint(path)
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name.startswith("towers/") and "/.OPTIMIZER_SLOT/" not in name
    }


@pytest.mark.slow
def test_a_stopped_training_goes_on(tiny_settings, tmp_path):
    settings = {**tiny_settings, "model": "sasrec", "epochs": 4}
    for name in ("num_networks", "num_views"):
        settings.pop(name)
    program = tmp_path / "program"
    lower.main([str(program), *flags(settings)])
    before = drive.Stage(program / "0")
    assert before.about["epochs"] == 4
    before.about["epochs"] = 2
    drive.train(before, until=np.inf)
    assert not (program / "0" / "unfinished.npz").exists()
    after = drive.Stage(program / "0")
    assert (after.is_begun, after.is_done, after.progress.epoch) == (True, False, 2)
    drive.train(after, until=np.inf)
    (program / "0" / "training.npz").unlink()
    whole = drive.Stage(program / "0")
    drive.train(whole, until=np.inf)
    assert whole.is_done
    for name, value in whole.state.items():
        np.testing.assert_array_equal(value, after.state[name], err_msg=name)
    for name, value in whole.best.items():
        np.testing.assert_array_equal(value, after.best[name], err_msg=name)
    assert [line["epoch"] for line in after.progress.history] == [1, 2, 3, 4]


class Clock:
    """A stage of one second an epoch."""

    def __init__(self, monkeypatch, epochs, values=(), patience=0):
        self.now, self.values, self.saved = 0.0, values, 0
        monkeypatch.setattr(drive.time, "monotonic", lambda: self.now)
        self.progress = drive.Progress()
        self.about = {"validation_every": int(bool(values)), "epoch_steps": 3}
        self.about |= {"epochs": epochs, "patience": patience}
        self.best = None

    is_done = drive.Stage.is_done

    def train_epoch(self):
        self.now += 1.0
        self.progress.epoch += 1
        return {}

    def validate(self):
        return {"validation/NDCG@10": self.values[self.progress.epoch - 1]}

    def keep_best(self, line):
        view = SimpleNamespace(
            progress=self.progress,
            about=self.about,
            _validation=self.values,
            state={"towers/0": self.progress.epoch, "optimizer/0": 0},
        )
        drive.Stage.keep_best(view, line)
        self.best = getattr(view, "best", self.best)

    def save(self):
        self.saved += 1


def test_every_pass_has_every_row_once_in_an_order_of_its_own():
    rows = drive.shuffled(np.arange(30), 10, seed=1).reshape(3, 10)
    assert (np.sort(rows, axis=1) == np.arange(10)).all()
    assert len({tuple(row) for row in rows}) == 3
    part = drive.shuffled(np.arange(7, 23), 10, seed=1)
    np.testing.assert_array_equal(part, rows.ravel()[7:23])
    assert (drive.shuffled(np.arange(30), 10, seed=2) != rows.ravel()).any()


def test_no_epoch_begins_that_would_not_end_in_time(monkeypatch):
    stage = Clock(monkeypatch, epochs=9)
    drive.train(stage, until=3.5)
    assert (stage.progress.epoch, stage.saved) == (3, 1)
    assert [line["step"] for line in stage.progress.history] == [3, 6, 9]
    assert stage.best is None  # not its last epoch yet
    drive.train(stage, until=np.inf)
    assert stage.progress.epoch == 9
    assert stage.best == {"towers/0": 9}


def test_the_best_validation_is_kept_until_patience_is_out(monkeypatch):
    values = [0.1, 0.3, 0.2, 0.3, 0.25, 0.9]
    stage = Clock(monkeypatch, epochs=6, values=values, patience=3)
    drive.train(stage, until=np.inf)
    assert dataclasses.asdict(stage.progress) | {"history": []} == {
        "epoch": 5,
        "best": 0.3,
        "best_epoch": 2,
        "since": 3,
        "seconds": 5.0,
        "history": [],
    }
    assert stage.best == {"towers/0": 2}


def test_whoever_lowers_a_teacher_is_told(tmp_path):
    with pytest.raises(InputError, match="--distill"):
        lower.main([str(tmp_path), "--model=distilled", "--distill=elsewhere"])

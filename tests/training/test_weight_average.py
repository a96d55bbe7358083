"""The moving average of the weights, and a training that is judged by it."""

import json

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.config import from_flat
from emkd_tf.training.history import WriteHistory
from emkd_tf.training.run import train
from emkd_tf.training.run_model import open_run
from emkd_tf.training.weight_average import WeightAverage, weight_average


def test_it_equals_the_sum_of_its_definition():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(40, 3))
    weight = tf.Variable(tf.zeros([3]))
    average = WeightAverage([weight], decay=0.8)
    for step, value in enumerate(values, 1):
        weight.assign(value)
        average.update(step)
    decays = np.minimum(0.8, (1 + np.arange(1, 41)) / (10 + np.arange(1, 41)))
    shares = [(1 - decays[i]) * np.prod(decays[i + 1 :]) for i in range(40)]
    expected = np.dot(shares, values)  # the zeros of the start have the rest
    np.testing.assert_allclose(average.averages[0], expected, rtol=1e-5, atol=1e-7)
    with average.in_place():
        np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(weight, tf.cast(values[-1], tf.float32))


def test_no_decay_is_no_average():
    assert weight_average([tf.Variable(1.0)], 0.0) is None


def history(run_dir):
    lines = (run_dir / "history.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.slow
def test_the_average_is_validated_kept_and_resumed(tiny_settings, monkeypatch):
    """The losses are those of the weights themselves; what is opened is the average,
    and a training that was stopped goes on as if it had not been."""
    own = {**tiny_settings, "weight_average": 0.9, "epochs": 3, "deterministic": True}
    own["export"] = False
    plain = train(from_flat({**own, "weight_average": 0.0, "name": "plain"}))
    whole = train(from_flat({**own, "name": "whole"}))
    lines = history(plain.run_dir), history(whole.run_dir)
    for a, b in zip(*lines, strict=True):
        assert a["loss/total"] == b["loss/total"]
    assert lines[0][-1]["validation/MRR"] != lines[1][-1]["validation/MRR"]

    def stopping(self, epoch, logs):
        written(self, epoch, logs)
        if epoch == 1:
            raise KeyboardInterrupt

    written = WriteHistory.on_epoch_end
    stopped = from_flat({**own, "name": "stopped", "checkpoint_steps": 2})
    monkeypatch.setattr(WriteHistory, "on_epoch_end", stopping)
    with pytest.raises(KeyboardInterrupt):
        train(stopped)
    monkeypatch.undo()
    resumed = train(stopped)
    weights = [open_run(each.run_dir)[2].get_weights() for each in (whole, resumed)]
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert whole.metrics["test"] == resumed.metrics["test"]
    assert whole.metrics["test"] != plain.metrics["test"]

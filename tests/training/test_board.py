"""What callbacks tell TensorBoard; tests/test_cli.py has them in a whole training."""

import types

import events
import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.training.board import Profile, WriteBoard
from emkd_tf.training.run_model import open_run
from emkd_tf.training.weight_average import WeightAverage


def test_networks_are_compared_where_an_epoch_was_validated(finished_run, tmp_path):
    config, histories, model = open_run(finished_run[0])
    model.optimizer = types.SimpleNamespace(iterations=tf.Variable(7))
    average = WeightAverage(model.trainable_variables, 0.5)
    for zeroed in average.averages:
        zeroed.assign(tf.zeros_like(zeroed))
    checkpoints = types.SimpleNamespace(best_weights=average.in_place)
    callback = WriteBoard(tmp_path, config, histories, checkpoints)
    callback.set_model(model)
    callback.on_train_begin()
    callback.on_epoch_end(0, {"loss/total": 2.0})
    model.optimizer.iterations.assign(9)
    callback.on_train_begin()  # the rest of a begun epoch is a fit of its own
    callback.on_epoch_end(1, {"loss/total": 1.0, "validation/NDCG@10": 0.1})
    found = events.scalars(tmp_path)
    assert found["loss/total"] == {7: 2.0, 9: 1.0}
    assert found["overlap/1-2"].keys() == found["divergence/1-2"].keys() == {9}
    assert found["memory/host"].keys() == {7, 9}
    # The weights that were validated, here all zero: every item is as likely.
    uniform = np.log(histories.num_items)
    assert found["validation/cross_entropy"][9] == pytest.approx(uniform, rel=1e-4)
    assert "| hidden_units | 8 |" in events.texts(tmp_path)["run"]


@pytest.fixture
def recorded(monkeypatch):
    calls = []
    profiler = tf.profiler.experimental
    monkeypatch.setattr(profiler, "start", lambda folder: calls.append(folder))
    monkeypatch.setattr(profiler, "stop", lambda: calls.append("stop"))
    return calls


def run_steps(callback, count, recorded):
    for _ in range(count):
        callback.on_train_batch_begin(0, None)
        recorded.append("step")
        callback.on_train_batch_end(0, {})


def test_the_chosen_steps_are_recorded(recorded, tmp_path):
    run_steps(Profile(tmp_path, (2, 3)), 5, recorded)
    assert recorded == ["step", str(tmp_path), "step", "step", "stop", "step", "step"]


def test_steps_count_over_a_resumed_training(recorded, tmp_path):
    run_steps(Profile(tmp_path, (8, 8), step=6), 3, recorded)
    assert recorded == ["step", str(tmp_path), "step", "stop", "step"]


def test_a_training_that_ends_before_closes_the_record(recorded, tmp_path):
    callback = Profile(tmp_path, (1, 99))
    run_steps(callback, 2, recorded)
    callback.stop()
    callback.stop()
    assert recorded == [str(tmp_path), "step", "step", "stop"]

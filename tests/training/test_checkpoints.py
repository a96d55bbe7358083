"""Checkpoints of a run: written, replaced, restored, refused."""

import time

import numpy as np
import pytest
import tensorflow as tf
from small_models import make_emkd

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.errors import InputError
from emkd_tf.training.checkpoints import Checkpoints, TrainingProgress, restore
from emkd_tf.training.setup import build_model, compile_model, training_data


def make(folder, num_items=10, say=print):
    model = make_emkd(2, num_items, max_length=4, hidden_units=4, num_blocks=2)
    model.compile(optimizer=tf.keras.optimizers.Adam())
    model.optimizer.build(model.trainable_variables)
    progress = TrainingProgress()
    return model, progress, Checkpoints(folder, model, progress, say=say)


def variables(model, progress):
    found = [*model.variables, *model.optimizer.variables, *progress.variables]
    return [v for v in found if v is not model.last_losses]


def state(model, progress):
    return [v.numpy() for v in variables(model, progress)]


def disturb(model, progress, by):
    for v in variables(model, progress):
        v.assign(tf.cast(tf.fill(v.shape, by), v.dtype))


def test_everything_comes_back(tmp_path):
    model, progress, checkpoints = make(tmp_path)
    assert not checkpoints.restore_last()
    disturb(model, progress, 7)
    expected = state(model, progress)
    checkpoints.save_last()
    disturb(model, progress, 3)
    other, other_progress, others = make(tmp_path)
    assert others.restore_last()
    assert others.step == 7
    for a, b in zip(state(other, other_progress), expected, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_best_weights_come_back_and_two_checkpoints_are_kept(tmp_path):
    model, progress, checkpoints = make(tmp_path)
    for epoch in (1, 3, 12):
        disturb(model, progress, epoch)
        checkpoints.save_best(epoch)
    names = sorted(path.name for path in (tmp_path / "best").glob("*.index"))
    assert names == ["ckpt-12.index", "ckpt-3.index"]
    disturb(model, progress, 0)
    checkpoints.restore_best()
    for weight in model.trainable_variables:
        np.testing.assert_array_equal(weight, tf.fill(weight.shape, 12.0))
    assert checkpoints.step == 0


def test_what_was_the_best_after_the_last_checkpoint_is_forgotten(tmp_path):
    model, progress, checkpoints = make(tmp_path)
    disturb(model, progress, 5)  # the best epoch, too
    checkpoints.save_best(5)
    checkpoints.save_last()
    disturb(model, progress, 8)
    checkpoints.save_best(8)  # killed before the training was saved
    model, progress, checkpoints = make(tmp_path)
    assert checkpoints.restore_last()
    disturb(model, progress, 0)
    checkpoints.restore_best()
    for weight in model.trainable_variables:
        np.testing.assert_array_equal(weight, tf.fill(weight.shape, 5.0))
    assert not list((tmp_path / "best").glob("ckpt-8*"))


def test_time_is_counted_once():
    progress = TrainingProgress()
    progress.start_clock()
    began = time.perf_counter(), time.process_time()
    for _ in range(3):
        sum(range(300_000))
        time.sleep(0.02)
        progress.count_time()
    now = time.perf_counter(), time.process_time()
    spent = [float(progress.seconds), float(progress.processor_seconds)]
    assert 0.06 <= spent[0] <= now[0] - began[0] + 0.01
    assert 0.0 < spent[1] <= now[1] - began[1] + 0.01


@pytest.mark.parametrize("suffix", [".index", ".data-00000-of-00001"])
def test_a_truncated_checkpoint_falls_back_to_the_one_before(tmp_path, suffix):
    said = []
    model, progress, checkpoints = make(tmp_path, say=said.append)
    for step in (5, 9):
        disturb(model, progress, step)
        checkpoints.save_last()
    path = tmp_path / "last" / f"ckpt-9{suffix}"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert checkpoints.restore_last()
    assert checkpoints.step == 5
    assert len(said) == 1
    assert "ckpt-9 is damaged" in said[0]
    assert "Falling back to" in said[0]
    older = tmp_path / "last" / f"ckpt-5{suffix}"
    older.write_bytes(b"")
    with pytest.raises(InputError, match="ckpt-5 is damaged"):
        checkpoints.restore_last()


def test_a_checkpoint_of_another_catalogue_is_refused(tmp_path):
    make(tmp_path, 10)[2].save_best(1)
    other = tf.train.Checkpoint(towers=make(tmp_path, 11)[0].towers)
    with pytest.raises(InputError, match="damaged or of another model"):
        restore(tmp_path / "best", other)


ADDONS = tf.__version__.startswith("2.15.")
OPTIMIZERS = ["adam", "lazy_adam"] + ADDONS * ["Addons>LazyAdam", "Addons>LAMB"]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_sampled_training_continues_where_it_was(tiny_settings, tmp_path, optimizer):
    changes = {"item_loss": "sampled", "num_sampled": 8, "optimizer": optimizer}
    config = from_flat({**tiny_settings, **changes, "epochs": 3, "batch_size": 12})
    histories = prepare(config.data)

    def make():
        model = build_model(config, histories)
        compile_model(model, config, 100)
        return model, Checkpoints(tmp_path, model, TrainingProgress())

    def train(model, first, last):
        batches = training_data(config, histories).batches(first_step=first)
        for batch in batches.take(last - first):
            model.train_step(batch)

    undisturbed, checkpoints = make()
    train(undisturbed, 0, 4)
    checkpoints.save_last()
    train(undisturbed, 4, 9)
    model, checkpoints = make()
    assert checkpoints.restore_last()
    assert checkpoints.step == 4
    train(model, 4, 9)
    for a, b in zip(model.variables, undisturbed.variables, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7, err_msg=a.name)


def test_no_checkpoint(tmp_path):
    with pytest.raises(InputError, match="holds no checkpoint"):
        restore(tmp_path, tf.train.Checkpoint())


def test_files_of_other_names_are_passed_over(tmp_path):
    model, progress, checkpoints = make(tmp_path)
    disturb(model, progress, 5)
    checkpoints.save_last()
    for name in ("ckpt-.index", "ckpt-x.index", "ckpt-9-copy.index"):
        (tmp_path / "last" / name).write_bytes(b"")
    assert checkpoints.restore_last()
    assert checkpoints.step == 5


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    model, progress, checkpoints = make(tmp_path)
    disturb(model, progress, 5)
    checkpoints.save_last()
    disturb(model, progress, 6)
    weight = model.trainable_variables[0]
    weight.assign(tf.fill(weight.shape, np.nan))
    checkpoints.save_last()
    assert checkpoints.restore_last()
    assert checkpoints.step == 5

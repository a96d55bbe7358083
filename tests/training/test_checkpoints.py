"""Checkpoints of a run: written, replaced, restored, refused."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.errors import InputError
from emkd_tf.models.emkd import EMKD
from emkd_tf.training.checkpoints import Checkpoints, restore_weights


def make(num_items=10):
    model = EMKD(
        num_items=num_items,
        max_length=4,
        item_attributes=np.zeros([num_items + 2, 0], np.float32),
        num_networks=2,
        hidden_units=4,
    )
    model.compile(optimizer=tf.keras.optimizers.Adam())
    return model


def test_the_best_weights_come_back_and_one_checkpoint_is_kept(tmp_path):
    model = make()
    checkpoints = Checkpoints(tmp_path, model)
    checkpoints.save_best(1)
    for weight in model.trainable_variables:
        weight.assign_add(tf.ones_like(weight))
    best = [w.numpy() for w in model.trainable_variables]
    checkpoints.save_best(3)
    checkpoints.save_last(4)
    assert len(list((tmp_path / "best").glob("*.index"))) == 1
    for weight in model.trainable_variables:
        weight.assign(tf.zeros_like(weight))
    checkpoints.restore_best()
    for kept, weight in zip(best, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(kept, weight)


def test_a_checkpoint_of_another_catalogue_is_refused(tmp_path):
    Checkpoints(tmp_path, make(10)).save_best(1)
    other = tf.train.Checkpoint(networks=make(11).networks)
    with pytest.raises(InputError, match="damaged or of another model"):
        restore_weights(tmp_path / "best", other)


def test_no_checkpoint(tmp_path):
    with pytest.raises(InputError, match="holds no checkpoint"):
        restore_weights(tmp_path, tf.train.Checkpoint())

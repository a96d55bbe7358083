"""A loss that is not finite: stop with all that explains it, or skip and count."""

import json

import numpy as np
import pytest
import tensorflow as tf
from small_models import make_emkd

from emkd_tf.errors import NonFiniteLossError
from emkd_tf.training.watch_loss import WatchLoss


def make(skip):
    model = make_emkd(2, 10, max_length=4, hidden_units=4, skip_nonfinite=skip)
    model.compile(optimizer=tf.keras.optimizers.SGD(0.1))
    return model


def batch():
    item_ids = np.array([[0, 1, 2, 3], [4, 5, 6, 7]], np.int32)
    labels = np.where([[0, 0, 1, 0], [1, 0, 0, 1]], item_ids, 0)[:, None]
    views = np.where(labels > 0, 11, item_ids[:, None])
    values = {"item_ids": item_ids, "views": views, "labels": labels, "row": [0, 1]}
    return {name: tf.constant(value, tf.int32) for name, value in values.items()}


def watch(model, folder, say=print, max_skipped=1):
    users = [f"user {number}" for number in range(9)]
    callback = WatchLoss(
        folder, lambda step: [f"{u} of {step}" for u in users], max_skipped, say
    )
    callback.set_model(model)
    return callback


def spoil(model, value=np.nan):
    weights = model.towers[0].item_weights
    good = weights.numpy()
    weights.assign(np.where(np.arange(11)[:, None] == 3, value, good))
    return lambda: weights.assign(good)


def test_stops_with_terms_step_users_and_where_the_good_state_is(tmp_path):
    model = make(skip=False)
    callback = watch(model, tmp_path)
    callback.on_train_batch_end(0, model.train_step(batch()))
    spoil(model)
    with pytest.raises(NonFiniteLossError) as caught:
        callback.on_train_batch_end(1, model.train_step(batch()))
    message = str(caught.value)
    for part in ("step 2", "masked_item nan", "'user 0 of 1'", "no checkpoint", "icl"):
        assert part in message
    assert "\n" not in message
    written = json.loads((tmp_path / "nonfinite.json").read_text())
    assert written["step"] == 2
    assert written["users"] == [f"user {n} of 1" for n in range(9)]
    assert written["losses"]["masked_item"] == "nan"
    good = tmp_path / "checkpoints" / "last" / "ckpt-1"
    good.parent.mkdir(parents=True)
    good.with_suffix(".index").touch()
    with pytest.raises(NonFiniteLossError, match=f"last good checkpoint is {good}"):
        callback.on_train_batch_end(2, model.train_step(batch()))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_skipping_leaves_weights_and_means_as_they_are_and_is_bounded(tmp_path, value):
    model, said = make(skip=True), []
    callback = watch(model, tmp_path, said.append)
    logs = model.train_step(batch())
    callback.on_train_batch_end(0, logs)
    mend = spoil(model, value)
    names = [w.name for w in model.trainable_variables]
    before = [w.numpy() for w in model.trainable_variables]
    skipped = model.train_step(batch())
    callback.on_train_batch_end(1, skipped)
    assert len(said) == 1
    for old, new in zip(before, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(old, new)
    assert np.isfinite(skipped["loss/total"])
    mend()
    callback.on_train_batch_end(2, model.train_step(batch()))
    bias = model.towers[0].item_bias
    assert (before[names.index(bias.name)] != bias.numpy()).any()
    spoil(model, value)
    with pytest.raises(NonFiniteLossError, match="2 batches were skipped"):
        callback.on_train_batch_end(3, model.train_step(batch()))


def test_a_training_that_goes_on_tells_new_skips_alone(tmp_path):
    model, said = make(skip=True), []
    model.skipped.assign(1)  # before it was interrupted
    callback = watch(model, tmp_path, said.append, max_skipped=2)
    callback.on_train_begin()
    callback.on_train_batch_end(0, model.train_step(batch()))
    assert said == []
    spoil(model)
    callback.on_train_batch_end(1, model.train_step(batch()))
    assert said == ["Skipped a batch (2 of 2 that may be)."]

"""Two replicas do what one does, on the same global batch."""

from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from replicas import assert_equal, trained_on_one_and_two
from small_models import make_emkd

from emkd_tf.models.item_losses import FullSoftmax, SampledSoftmax
from emkd_tf.training.optimizers import LazyAdam


def training(users, item_loss, optimizer):
    """A batch of `users` rows, every other half as long, and candidates."""
    rng = np.random.default_rng(0)
    item_ids = rng.integers(1, 31, size=(users, 6))
    item_ids[: users // 2, :3] = 0
    labels = np.where(rng.random((users, 2, 6)) < 0.3, item_ids[:, None], 0)
    views = np.where(labels > 0, 31, item_ids[:, None])
    rows = {"item_ids": item_ids, "views": views, "labels": labels}
    rows["row"] = np.arange(users)
    batch = {k: np.asarray(v, np.int32) for k, v in rows.items()}
    drawn = {
        "candidates": rng.integers(1, 31, size=9).astype(np.int32),
        "log_expected": rng.normal(size=9).astype(np.float32),
    }
    make = partial(make_emkd, 2, attributes=np.eye(32, 4), item_loss=item_loss)
    return make, optimizer, batch, drawn if item_loss is SampledSoftmax else {}


LOSSES = {
    "full": (FullSoftmax, partial(tf.keras.optimizers.SGD, 0.1)),
    "sampled": (SampledSoftmax, partial(LazyAdam, 0.01)),
}
TRAININGS = {
    f"{name}, {users} users": partial(training, users, *loss)
    for name, loss in LOSSES.items()
    for users in (8, 7)
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAININGS)
def test_losses_and_weights_equal_one_replica(name):
    assert_equal(trained_on_one_and_two(__file__, name))

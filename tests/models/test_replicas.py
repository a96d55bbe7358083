"""Two replicas do what one does, on the same global batch."""

import json
import subprocess
import sys

import numpy as np
import pytest

PROGRAM = """
import json, sys
import emkd_tf
import numpy as np
import tensorflow as tf
from emkd_tf.models.emkd import EMKD
from emkd_tf.training.optimizers import LazyAdam

replicas, users, sampled = map(int, sys.argv[1:])
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(replicas)])
rng = np.random.default_rng(0)
item_ids = rng.integers(1, 31, size=(users, 6))
item_ids[: users // 2, :3] = 0
labels = np.where(rng.random((users, 2, 6)) < 0.3, item_ids[:, None], 0)
views = np.where(labels > 0, 31, item_ids[:, None])
batch = {"item_ids": item_ids, "views": views, "labels": labels, "row": range(users)}
batch = {k: np.asarray(v, np.int32) for k, v in batch.items()}
drawn = {
    "candidates": rng.integers(1, 31, size=9).astype(np.int32),
    "log_expected": rng.normal(size=9).astype(np.float32),
}
with strategy.scope():
    model = EMKD(
        num_items=30, max_length=6, hidden_units=8, num_blocks=1, dropout=0.0,
        item_attributes=np.eye(32, 4, dtype=np.float32),
    )
    optimizer = LazyAdam(0.01) if sampled else tf.keras.optimizers.SGD(0.1)
    model.compile(optimizer=optimizer)
def pieces(context):
    # Every replica gets its rows of the batch, and all candidates.
    data = tf.data.Dataset.from_tensor_slices(batch).batch(-(-users // replicas))
    return data.map(lambda part: {**part, **(drawn if sampled else {})}).repeat()
data = strategy.distribute_datasets_from_function(pieces)
history = model.fit(data, steps_per_epoch=1, epochs=3, verbose=0)
weights = {w.name: w.numpy().tolist() for w in model.trainable_variables}
print(json.dumps({"losses": history.history, "weights": weights}))
"""


def train(*arguments):
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.parametrize(("users", "sampled"), [(8, 0), (7, 0), (8, 1), (7, 1)])
def test_losses_and_weights_equal_one_replica(users, sampled):
    one, two = train(1, users, sampled), train(2, users, sampled)
    for name, values in one["losses"].items():
        np.testing.assert_allclose(values, two["losses"][name], rtol=1e-4, atol=1e-6)
    for name, weight in one["weights"].items():
        np.testing.assert_allclose(weight, two["weights"][name], rtol=1e-3, atol=1e-5)

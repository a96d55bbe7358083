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

replicas, users = int(sys.argv[1]), int(sys.argv[2])
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
with strategy.scope():
    model = EMKD(
        num_items=30, max_length=6, hidden_units=8, num_blocks=1, dropout=0.0,
        item_attributes=np.eye(32, 4, dtype=np.float32),
    )
    model.compile(optimizer=tf.keras.optimizers.SGD(0.1))
data = tf.data.Dataset.from_tensor_slices(batch).batch(users).repeat()
options = tf.data.Options()
options.experimental_distribute.auto_shard_policy = (
    tf.data.experimental.AutoShardPolicy.OFF
)
history = model.fit(data.with_options(options), steps_per_epoch=1, epochs=3, verbose=0)
weights = {w.name: w.numpy().tolist() for w in model.trainable_variables}
print(json.dumps({"losses": history.history, "weights": weights}))
"""


def train(replicas, users):
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(replicas), str(users)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    return json.loads(process.stdout.splitlines()[-1])


@pytest.mark.parametrize("users", [8, 7])
def test_losses_and_weights_equal_one_replica(users):
    one, two = train(1, users), train(2, users)
    for name, values in one["losses"].items():
        np.testing.assert_allclose(values, two["losses"][name], rtol=1e-4, atol=1e-6)
    for name, weight in one["weights"].items():
        np.testing.assert_allclose(weight, two["weights"][name], rtol=1e-3, atol=1e-5)

"""The same steps on one device and on two replicas, which are logical CPUs of a process
of its own: `python replicas.py TEST_FILE NAME`."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import tensorflow as tf

NUM_STEPS = 3


def trained_on_one_and_two(test_file, name):
    """Takes three steps of one of the `TRAININGS` of a test file, which are functions
    by name; each returns what builds its model, an optimizer, a batch, and what every
    replica gets whole beside its rows of the batch.

    A second model in the process would confuse TensorFlow's collective operations.

    Returns:
        A pair of {"losses", "weights"}.
    """
    process = subprocess.run(
        [sys.executable, __file__, str(test_file), name],
        env={**os.environ, "TF_USE_LEGACY_KERAS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    return json.loads(process.stdout.splitlines()[-1])


def assert_equal(pair):
    one, two = pair
    assert one["losses"].keys() == two["losses"].keys()
    for name, values in one["losses"].items():
        np.testing.assert_allclose(
            values, two["losses"][name], rtol=1e-4, atol=1e-6, err_msg=name
        )
    for mine, other in zip(one["weights"], two["weights"], strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-5)


def _outcome(model, losses):
    weights = [w.numpy().tolist() for w in model.trainable_variables]
    return {"losses": losses, "weights": weights}


def _on_one(make, optimizer, batch, shared):
    """Steps without a strategy and without a graph."""
    model, losses = make(), {}
    model.compile(optimizer=optimizer())
    for _ in range(NUM_STEPS):
        model.reset_metrics()
        for name, value in model.train_step({**batch, **shared}).items():
            losses.setdefault(name, []).append(float(value))
    return _outcome(model, losses)


def _on_two(make, optimizer, batch, shared):
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        model = make()
        model.compile(optimizer=optimizer())
    users = len(next(iter(batch.values())))

    def pieces(context):
        data = tf.data.Dataset.from_tensor_slices(batch).batch(-(-users // 2))
        return data.map(lambda part: {**part, **shared}).repeat()

    data = strategy.distribute_datasets_from_function(pieces)
    history = model.fit(data, steps_per_epoch=1, epochs=NUM_STEPS, verbose=0)
    return _outcome(model, history.history)


def _main(path, name):
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * 2,
    )
    spec = importlib.util.spec_from_file_location("test_file", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    training = module.TRAININGS[name]
    print(json.dumps([_on_one(*training()), _on_two(*training())]))


if __name__ == "__main__":
    _main(*sys.argv[1:])

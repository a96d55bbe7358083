"""The choice of a tf.distribute strategy."""

import json
import os
import subprocess
import sys

import pytest
import tensorflow as tf

from emkd_tf.errors import InputError
from emkd_tf.training.strategy import make_strategy


def test_names(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    several = len(tf.config.list_logical_devices("GPU")) > 1
    expected = tf.distribute.MirroredStrategy if several else None
    chosen = make_strategy("auto")
    assert isinstance(chosen, expected or tf.distribute.OneDeviceStrategy)
    assert isinstance(make_strategy("mirrored"), tf.distribute.MirroredStrategy)
    assert make_strategy("one_device").num_replicas_in_sync == 1


def test_multi_worker_needs_its_environment(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(InputError, match="needs TF_CONFIG"):
        make_strategy("multi_worker")


def test_a_worker_that_stays_alone_ends_with_one_line():
    cluster = {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}
    config = {"cluster": cluster, "task": {"type": "worker", "index": 1}}
    program = (
        "from emkd_tf.training.strategy import make_strategy\n"
        "make_strategy('multi_worker', worker_timeout=2)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "TF_CONFIG": json.dumps(config)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 5
    line = process.stderr.strip().splitlines()[-1]
    assert line.startswith("emkd: Not all workers of TF_CONFIG were there within 2 s")

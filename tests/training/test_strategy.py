"""The choice of a tf.distribute strategy."""

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

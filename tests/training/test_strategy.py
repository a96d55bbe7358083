"""The choice of a tf.distribute strategy."""

import types

import pytest
import tensorflow as tf

from emkd_tf.config import from_flat
from emkd_tf.errors import InputError
from emkd_tf.training.strategy import make_strategy, require_one_replica


def test_names(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    several = len(tf.config.list_logical_devices("GPU")) > 1
    expected = tf.distribute.MirroredStrategy if several else None
    chosen = make_strategy("auto")
    assert isinstance(chosen, expected or tf.distribute.OneDeviceStrategy)
    assert isinstance(make_strategy("mirrored"), tf.distribute.MirroredStrategy)
    assert make_strategy("one_device").num_replicas_in_sync == 1


def test_a_compiled_step_needs_one_device():
    config = from_flat({"jit_compile": True})
    several = types.SimpleNamespace(num_replicas_in_sync=2)
    with pytest.raises(InputError, match="`jit_compile` needs one device, and there"):
        require_one_replica(config, several)
    require_one_replica(from_flat({}), several)
    require_one_replica(config, make_strategy("one_device"))


def test_multi_worker_needs_its_environment(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(InputError, match="needs TF_CONFIG"):
        make_strategy("multi_worker")


@pytest.mark.parametrize(
    "tf_config",
    [
        "no JSON",
        "1",
        '{"cluster": 5}',
        '{"cluster": {"worker": ["127.0.0.1:1", "127.0.0.1:2"]}}',
        '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 3}}',
        '{"cluster": {"worker": "a:1"}, "task": {"type": "worker", "index": 0}}',
    ],
)
def test_a_tf_config_that_cannot_be_read_is_one_line(monkeypatch, tf_config):
    monkeypatch.setenv("TF_CONFIG", tf_config)
    with pytest.raises(InputError, match="TF_CONFIG cannot be read"):
        make_strategy("auto")

"""Warm-up requests against the messages of tensorflow-serving-api; tests/serving
replays them."""

import pytest
import tensorflow as tf

from emkd_tf.atomic_files import read_json
from emkd_tf.export import checks
from emkd_tf.export.warmup import prediction_log

FILE = "assets.extra/tf_serving_warmup_requests"


@pytest.fixture
def message():
    module = "tensorflow_serving.apis.prediction_log_pb2"
    return pytest.importorskip(module).PredictionLog


@pytest.mark.parametrize("length", [0, 5, 127, 128, 20_000])
def test_a_log_is_read_as_it_was_written(message, length):
    texts = tf.constant([["x" * length, "ü"]])
    inputs = {"history": texts, "candidates": tf.constant([["a"]])}
    request = message.FromString(prediction_log("my model", "score", inputs))
    request = request.predict_log.request
    assert request.model_spec.name == "my model"
    assert request.model_spec.signature_name == "score"
    assert sorted(request.inputs) == sorted(inputs)
    for name, value in inputs.items():
        read = tf.make_ndarray(request.inputs[name])
        assert read.tolist() == value.numpy().tolist()


def test_every_signature_is_warmed_up_with_known_histories(message, exported):
    records = tf.data.TFRecordDataset(str(exported.folder / FILE))
    requests = [message.FromString(r.numpy()).predict_log.request for r in records]
    sizes = {}
    for request in requests:
        assert request.model_spec.name == "m"
        for value in request.inputs.values():
            texts = tf.make_ndarray(value).ravel().tolist()
            parts = [part for text in texts for part in text.decode().split(",")]
            assert set(parts) <= {*exported.names, ""}
        rows = next(iter(request.inputs.values())).tensor_shape.dim[0].size
        sizes.setdefault(request.model_spec.signature_name, []).append(rows)
    signatures = {
        request["signature"]
        for request in read_json(exported.folder / checks.QUESTIONS_FILE)
    }
    assert set(sizes) == signatures
    assert len(signatures) == 5
    assert all(of_signature == [1, 4] for of_signature in sizes.values())

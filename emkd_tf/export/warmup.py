"""Warm-up requests, which TensorFlow Serving replays when it loads a version."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from emkd_tf.export.check_requests import Request

_FILE = Path("assets.extra") / "tf_serving_warmup_requests"


def write_warm_up(folder: Path, name: str, requests: list[Request]) -> None:
    """Writes the requests of an export that warm it up.

    A request that fails keeps TensorFlow Serving from loading the version, so the
    requests must have been asked before.

    Args:
        folder: of the version.
        name: of the model.
        requests: those with `warm_up` are written.
    """
    path = folder / _FILE
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for request in requests:
            if request["warm_up"]:
                inputs = {
                    key: tf.constant(values[: request["rows"]], tf.string)
                    for key, values in request["inputs"].items()
                }
                writer.write(prediction_log(name, request["signature"], inputs))


def prediction_log(name: str, signature: str, inputs: dict[str, tf.Tensor]) -> bytes:
    """Encodes a `tensorflow.serving.PredictionLog` with one predict request.

    These eight lines of wire format spare every installation tensorflow-serving-api.
    """
    spec = _field(1, name.encode()) + _field(3, signature.encode())
    request = _field(1, spec)
    for key in sorted(inputs):
        tensor = tf.make_tensor_proto(inputs[key]).SerializeToString()
        request += _field(2, _field(1, key.encode()) + _field(2, tensor))
    return _field(6, _field(1, request))  # predict_log, its request


def _field(number: int, payload: bytes) -> bytes:
    """A field of bytes: its key, its length, its content."""
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _varint(number: int) -> bytes:
    """Seven bits per byte, the lowest first; all but the last have the high bit."""
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])

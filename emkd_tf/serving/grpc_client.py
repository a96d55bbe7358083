"""The gRPC client; its messages come with TensorFlow (extra `serving`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import grpc
import numpy as np
import tensorflow as tf

from emkd_tf.errors import InputError
from emkd_tf.serving.client import Client

try:
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "The gRPC client needs tensorflow-serving-api (the REST client does not): "
        "pip install 'emkd-tf[serving]'"
    ) from error

_NO_LIMIT = -1  # gRPC refuses answers above 4 MB unless told otherwise


class GrpcClient(Client):
    """Asks a server's gRPC port, "host:8500".

    `timeout_seconds` bounds the whole call.
    """

    def __init__(self, address: str, model: str, **options: Any):
        super().__init__(address, model, **options)
        self._channel = grpc.insecure_channel(
            address, options=[("grpc.max_receive_message_length", _NO_LIMIT)]
        )
        self._service = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)

    def predict(
        self, inputs: Mapping[str, Sequence], signature_name: str = "serving_default"
    ) -> dict[str, list]:
        request = predict_pb2.PredictRequest()
        request.model_spec.name = self.model
        request.model_spec.signature_name = signature_name
        if self.version is not None:
            request.model_spec.version.value = self.version
        for name, values in inputs.items():
            request.inputs[name].CopyFrom(_to_tensor(name, values))
        try:
            answer = self._service.Predict(request, timeout=self._timeout_seconds)
        except grpc.RpcError as error:
            raise self._error(error.code().name, error.details()) from None
        try:
            return {name: _to_lists(tensor) for name, tensor in answer.outputs.items()}
        except (TypeError, ValueError) as error:
            raise self._error(
                "UNKNOWN", f"its answer is not readable: {error}"
            ) from None

    def close(self) -> None:
        self._channel.close()


def _to_tensor(name: str, values: Sequence) -> tf.compat.v1.TensorProto:
    try:
        # An empty input has no type of its own; all inputs of an export are text.
        return tf.make_tensor_proto(values, None if np.size(values) else tf.string)
    except (TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"Input `{name}` is no array of one type: {reason}") from None


def _to_lists(tensor: tf.compat.v1.TensorProto) -> list:
    array = tf.make_ndarray(tensor)
    if array.dtype == object:
        texts = [text.decode() for text in array.ravel()]
        array = np.array(texts, object).reshape(array.shape)
    return array.tolist()

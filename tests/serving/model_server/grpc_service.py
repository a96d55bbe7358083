"""The gRPC port: tensorflow.serving.PredictionService/Predict."""

from concurrent import futures

import grpc
import tensorflow as tf
from servables import Code, RefusedError, find
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Answers Predict for the given servables."""

    def __init__(self, servables):
        self._servables = servables

    def Predict(self, request, context):
        try:
            return self._predict(request)
        except RefusedError as error:
            context.abort(error.code, error.message)

    def _predict(self, request):
        if not request.HasField("model_spec"):
            raise RefusedError(Code.INVALID_ARGUMENT, "Missing ModelSpec")
        spec = request.model_spec
        version = spec.version.value if spec.HasField("version") else None
        servable = find(self._servables, spec.name, version)
        inputs = {name: _array(name, proto) for name, proto in request.inputs.items()}
        outputs = servable.predict(spec.signature_name, inputs)
        answer = predict_pb2.PredictResponse()
        answer.model_spec.name = spec.name
        answer.model_spec.version.value = servable.version
        answer.model_spec.signature_name = spec.signature_name or "serving_default"
        for name in request.output_filter or outputs:
            answer.outputs[name].CopyFrom(tf.make_tensor_proto(outputs[name]))
        return answer


def _array(name, proto):
    try:
        return tf.make_ndarray(proto)
    except (TypeError, ValueError):
        message = f"tensor parsing error: {name}"
        raise RefusedError(Code.INVALID_ARGUMENT, message) from None


def grpc_server(servables):
    """Starts a server; returns it and its port."""
    server = grpc.server(
        futures.ThreadPoolExecutor(4),
        options=[("grpc.max_receive_message_length", -1)],
    )
    service = PredictionService(servables)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port

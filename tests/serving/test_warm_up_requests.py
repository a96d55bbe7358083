"""The warm-up file as TensorFlow Serving reads it, replayed through the server."""

import grpc
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2, prediction_service_pb2_grpc


def test_every_request_parses_and_is_answered(served):
    path = served.folder / "assets.extra" / "tf_serving_warmup_requests"
    signatures = set()
    with grpc.insecure_channel(served.addresses["grpc"]) as channel:
        service = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            log = prediction_log_pb2.PredictionLog.FromString(record)
            assert log.WhichOneof("log_type") == "predict_log"
            request = log.predict_log.request
            assert request.SerializeToString(deterministic=True) in record
            assert request.model_spec.name == "tiny"
            answer = service.Predict(request, timeout=30)
            rows = {t.tensor_shape.dim[0].size for t in request.inputs.values()}
            assert rows == {t.tensor_shape.dim[0].size for t in answer.outputs.values()}
            signatures.add(request.model_spec.signature_name)
    names = {"serving_default", "history_joined", "score", "embed", "similar_items"}
    assert signatures == names

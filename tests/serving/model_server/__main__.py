"""A stand-in for TensorFlow Serving in tests: Predict over gRPC and REST.

    python tests/serving/model_server MODELS

MODELS is JSON, {name: {"base_path": folder of versions, "max_batch_size": rows or
null}}. Prints {"grpc": port, "rest": port} when it is ready and ends with its standard
input, so that it never outlives the test. What it answers to mistakes follows
TensorFlow Serving's sources (predict_util.cc, json_tensor.cc, http_server.cc).
"""

import json
import sys
import threading

from grpc_service import grpc_server
from rest_service import rest_server
from servables import Servable


def main(models):
    servables = {name: Servable(name, **options) for name, options in models.items()}
    grpc, grpc_port = grpc_server(servables)
    rest = rest_server(servables)
    threading.Thread(target=rest.serve_forever, daemon=True).start()
    print(json.dumps({"grpc": grpc_port, "rest": rest.server_port}), flush=True)
    sys.stdin.read()
    grpc.stop(grace=None)
    rest.shutdown()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))

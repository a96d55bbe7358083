"""What is the gRPC client's alone: types on the wire, sizes, the optional package."""

import importlib
import sys

import numpy as np
import pytest

from emkd_tf.errors import InputError, ServingError
from emkd_tf.serving.grpc_client import GrpcClient


@pytest.fixture
def client(served):
    with GrpcClient(served.addresses["grpc"], "tiny") as client:
        yield client


@pytest.mark.parametrize(
    ("inputs", "signature", "status", "message"),
    [
        (
            {"history": [[7]]},
            "serving_default",
            "INVALID_ARGUMENT",
            "actual int32 vs. expect string",
        ),
        (
            {"histories": [["a"]]},
            "serving_default",
            "INVALID_ARGUMENT",
            "Signature input alias: history.*not found in request",
        ),
        (
            {"history": [["a"]], "k": [5]},
            "serving_default",
            "INVALID_ARGUMENT",
            r"input size does not match signature: 2!=1 .*Sent extra: \{k\}",
        ),
        (
            {"history": [["a"]]},
            "serve",
            "FAILED_PRECONDITION",
            'Serving signature key "serve" not found',
        ),
    ],
)
def test_the_server_s_own_words(client, inputs, signature, status, message):
    with pytest.raises(ServingError, match=message) as caught:
        client.predict(inputs, signature)
    assert caught.value.status == status


TYPES = {
    "int32": np.int32([1, -2]),
    "int64": np.int64([2**40, 0]),
    "float32": np.float32([0.1, -1e30]),
    "bool": np.array([True, False]),
    "string": ["naïve ☕", ""],
}


def test_types_there_and_back(served):
    with GrpcClient(served.addresses["grpc"], "echo") as client:
        answer = client.predict(TYPES, "echo")
    assert answer == {name: np.array(v).tolist() for name, v in TYPES.items()}


@pytest.mark.parametrize(
    "wrong", [[["a"], ["b", "c"]], [["\ud83d"]], [["a", None]], [[1, "a"]]]
)
def test_inputs_of_no_tensor_are_one_line(client, wrong):
    with pytest.raises(InputError, match="Input `history` is no array") as caught:
        client.predict({"history": wrong})
    assert "\n" not in str(caught.value)


def test_an_answer_above_grpc_s_usual_limit(served):
    text = "x" * (2**22 + 1)
    inputs = {**TYPES, "string": [text, ""]}
    with GrpcClient(served.addresses["grpc"], "echo") as client:
        assert client.predict(inputs, "echo")["string"] == [text, ""]


def test_without_the_package_the_message_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    monkeypatch.delitem(sys.modules, "emkd_tf.serving.grpc_client")
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'emkd-tf\[serving\]'"):
        importlib.import_module("emkd_tf.serving.grpc_client")

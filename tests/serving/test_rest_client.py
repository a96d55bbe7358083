"""What is the REST client's alone: JSON on the wire, and no TensorFlow."""

import http.server
import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import requests

from emkd_tf.errors import ServingError
from emkd_tf.serving.rest_client import RestClient

ASK = (
    "import sys\n"
    "from emkd_tf.serving.rest_client import RestClient\n"
    "with RestClient(sys.argv[1], 'tiny') as client:\n"
    "    print(client.recommend([['item 3'], []], 2).is_popular)\n"
    "assert not {'tensorflow', 'grpc', 'numpy'} & set(sys.modules)\n"
)


def test_needs_no_tensorflow(served):
    process = subprocess.run(
        [sys.executable, "-c", ASK, served.addresses["rest"]],
        capture_output=True,
        text=True,
        check=True,
    )
    assert process.stdout.strip() == "[False, True]"


def test_the_snippet_of_the_page_on_serving(served, capsys):
    page = (Path(__file__).parents[2] / "docs" / "serving.md").read_text()
    (snippet,) = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    ours = {
        "localhost:8501": served.addresses["rest"],
        "shop": "tiny",
        "sku-010": "item 3",
    }
    for theirs, own in ours.items():
        assert snippet.count(theirs) == 1
        snippet = snippet.replace(theirs, own)
    exec(snippet, {})
    expected = served.live.recommend([["item 3"]], 5).item_ids.tolist()
    assert capsys.readouterr().out == f"{expected} [False]\n"


@pytest.fixture
def post(served):
    """Sends a body as it is and returns HTTP's status and the answer."""

    def post(content, path="tiny:predict"):
        url = f"http://{served.addresses['rest']}/v1/models/{path}"
        body = {"data": content} if isinstance(content, str) else {"json": content}
        answer = requests.post(url, timeout=30, **body)
        return answer.status_code, answer.json()

    return post


def test_rows_and_columns_hold_the_same(served, post):
    histories = [["item 3", "item 5"], ["", "never sold"]]
    with RestClient(served.addresses["rest"], "tiny") as client:
        answer = client.predict({"history": histories})
    rows = [{key: column[row] for key, column in answer.items()} for row in (0, 1)]
    assert post({"inputs": {"history": histories}}) == (200, {"outputs": answer})
    assert post({"inputs": histories}) == (200, {"outputs": answer})
    named = [{"history": row} for row in histories]
    for instances in (named, histories):
        for path in ("tiny:predict", "tiny/versions/3:predict"):
            assert post({"instances": instances}, path) == (200, {"predictions": rows})
    joined = {"signature_name": "history_joined", "instances": ["item 3,item 5"]}
    assert post(joined) == (200, {"predictions": rows[:1]})
    coded = {"signature_name": "history_joined", "instances": [{"b64": "aXRlbSAz"}]}
    assert post(coded)[0] == 200


TYPES = {"int32": 1, "int64": 2**40, "float32": 0.1, "bool": True, "string": "naïve ☕"}


def test_types_there_and_back(post):
    ask = {"signature_name": "echo", "instances": [TYPES, {**TYPES, "bool": False}]}
    answer = {"predictions": [TYPES, {**TYPES, "bool": False}]}
    assert post(ask, "echo:predict") == (200, answer)
    one = {"signature_name": "one_output", "instances": [0.25, 3]}
    assert post(one, "echo:predict") == (200, {"predictions": [0.5, 6.0]})


@pytest.mark.parametrize(
    ("name", "value", "type_name"),
    [
        ("int32", 1.0, "int32"),
        ("int32", 2**40, "int32"),
        ("int64", True, "int64"),
        ("float32", "1", "float"),
        ("bool", 1, "bool"),
        ("string", None, "string"),
    ],
)
def test_a_value_of_another_type(post, name, value, type_name):
    ask = {"signature_name": "echo", "instances": [{**TYPES, name: value}]}
    status, answer = post(ask, "echo:predict")
    assert status == 400
    assert answer["error"].startswith(f"Failed to process element: 0 key: {name} of")
    assert answer["error"].endswith(f"is not of expected type: {type_name}")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("", "JSON Parse error"),
        ('{"inputs": [', "JSON Parse error"),
        ([1], "Is not object"),
        ({}, "Missing 'inputs' or 'instances' key"),
        ({"inputs": [], "instances": []}, "expecting only one of"),
        ({"instances": []}, "No values in 'instances' array"),
        ({"instances": {"history": ["a"]}}, "to be an list/array"),
        ({"instances": [{"histories": ["a"]}]}, "does not have named input: histories"),
        ({"instances": [{}]}, "keys must be equal to: history"),
        ({"instances": [["a"], ["b", "c"]]}, "Expecting tensor size: 1 but got: 2"),
        ({"instances": [["a"], {"history": ["b"]}]}, "Expecting value/list but got"),
        ({"inputs": {"histories": [["a"]]}}, "Missing named input: history"),
        ({"inputs": [["a"], ["b", "c"]]}, "Encountered list at unexpected size: 2"),
        ({"inputs": [["a"], "b"]}, "found at incorrect level"),
        ({"inputs": [["a", ["b"]]]}, "Encountered list at unexpected level"),
        (
            {"inputs": [[7]]},
            "JSON Value: 7 Type: Number is not of expected type: strin",
        ),
        ({"signature_name": "score", "instances": [["a"]]}, "is a plain list, but"),
        ({"signature_name": "x", "inputs": [["a"]]}, '"x" not found in signature def'),
        ({"signature_name": 1, "inputs": [["a"]]}, "must be a string value"),
    ],
    ids=str,
)
def test_a_body_that_is_refused(post, content, error):
    status, answer = post(content)
    assert status == 400
    assert error in answer["error"]


def test_a_path_that_is_refused(post):
    body = {"inputs": [["a"]]}
    missing = {"error": "Servable not found for request: Latest(none)"}
    assert post(body, "none:predict") == (404, missing)
    missing = {"error": "Servable not found for request: Specific(tiny, 7)"}
    assert post(body, "tiny/versions/7:predict") == (404, missing)
    malformed = {"error": "Malformed request: POST /v1/models/tiny:recommend"}
    assert post(body, "tiny:recommend") == (400, malformed)


def test_outputs_without_a_name_are_of_no_export_of_ours(served):
    with (
        RestClient(served.addresses["rest"], "echo") as client,
        pytest.raises(ServingError, match="UNKNOWN"),
    ):
        client.predict({"values": [1.0]}, "one_output")


EMPTY = json.dumps(
    {"outputs": {"item_ids": [], "scores": [], "unknown_items": [], "is_popular": []}}
).encode()


@pytest.mark.parametrize(
    ("code", "body", "status"),
    [
        (502, b"<html>bad gateway</html>", "UNKNOWN"),
        (503, b'{"error": "busy"}', "UNAVAILABLE"),
        (404, b'{"error": {"code": 404}}', "NOT_FOUND"),
        (429, b'["wait"]', "RESOURCE_EXHAUSTED"),
        (200, b"hello", "UNKNOWN"),
        (200, EMPTY, "UNKNOWN"),
    ],
)
def test_what_stands_between_may_answer_anything(code, body, status):
    class Other(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        with RestClient(address, "a b/c") as client, pytest.raises(ServingError) as got:
            client.recommend([["a"]], 1)
    assert got.value.status == status
    words = {
        b'{"error": "busy"}': "UNAVAILABLE: busy.",
        b'{"error": {"code": 404}}': "NOT_FOUND: {'code': 404}.",
        EMPTY: "it does not answer 1 histories with a list of item ids",
    }.get(body, body.decode())
    assert words in str(got.value)

"""What is written beside the versions of an export: TF Serving's settings and a README
with calls and this very model's answers."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import quote

from emkd_tf.atomic_files import write_text
from emkd_tf.export.check_requests import Request
from emkd_tf.retrieval.recommend import LOWEST

_SHOWN = 3  # items of an answer

_EXCLUDED = {
    "unseen": "Items of the history\nare not recommended.",
    "window": "Of the history\nthe newest {window} items are not recommended.",
    "all": "Items of the history\nmay be recommended again.",
}
_MODELS = """\
model_config_list {{
  config {{
    name: {name}
    base_path: {folder}
    model_platform: "tensorflow"
  }}
}}
"""
_BATCHING = """\
# Requests are joined into batches. All of one batch must be equally wide: call
# `history_joined`, or pad every history of `serving_default` to one width.
max_batch_size { value: 256 }
batch_timeout_micros { value: 1000 }
max_enqueued_batches { value: 256 }
num_batch_threads { value: 2 }
"""
_MONITORING = """\
prometheus_config {
  enable: true
  path: "/monitoring/prometheus/metrics"
}
"""
_README = """\
# {name}, version {version}

{networks} for {items} items of `{dataset}`; lists of {k}.

## Serve

    docker run --rm -p 8500:8500 -p 8501:8501 -v "$PWD":{folder} \\
        tensorflow/serving --model_config_file={folder}/models.config \\
        --monitoring_config_file={folder}/monitoring.config

To join requests into batches, add `--enable_batching
--batching_parameters_file={folder}/batching_parameters.txt`.

## Call

Histories are item ids as text, oldest first, padded with `""`. {excluded}{users}
Unknown items are dropped and counted in `unknown_items`; where nothing is known the
most popular items come and `is_popular` is true. Where fewer than {k} items are left,
the rest of the list is `""` with the score {lowest}.

| signature | inputs | outputs |
|---|---|---|
| `serving_default` | `history` [batch, length] | `item_ids`, `scores` [batch, {k}] |
| `history_joined` | `history` [batch], ids joined by {separator} | the same |
| `score` | `history`, `candidates` [batch, n] | `scores`, `is_known` [batch, n] |
| `embed` | `history` | `query` [batch, {width}] |
| `similar_items` | `item_id` [batch] | `item_ids`, `scores` (cosine), `is_known` |

All but the last also return `unknown_items` and `is_popular` [batch]. A `query` times
the rows of `vectors/{version}/item_vectors.npy` gives the scores of the items in
`vectors/{version}/item_ids.txt`.

### REST, a row an instance

    {row_call}

answers (of each list the first {shown})

    {row_answer}

### REST, a column an input

    {column_call}

answers

    {column_answer}

### gRPC

```python
import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

channel = grpc.insecure_channel("localhost:8500")
service = prediction_service_pb2_grpc.PredictionServiceStub(channel)
request = predict_pb2.PredictRequest()
request.model_spec.name = {quoted_name}
request.inputs["history"].CopyFrom(tf.make_tensor_proto({history}))
answer = service.Predict(request, timeout=10.0)
print(tf.make_ndarray(answer.outputs["item_ids"])[0, :{shown}].tolist())
```

prints

    {grpc_answer}

`emkd_tf.serving` has both as one call. Check this folder at any time with

    emkd export --verify {version}
"""


def write_serving_files(
    folder: Path, card: dict[str, Any], requests: list[Request]
) -> None:
    """Writes models.config, batching_parameters.txt, monitoring.config and README.md.

    Args:
        folder: of the model; TF Serving reads the versions in it.
        card: of the newest version.
        requests: with the answers that the README shows.
    """
    name = card["name"]
    # A JSON string is also a string of protobuf's text format.
    models = _MODELS.format(name=_json(name), folder=_json(_served_folder(name)))
    write_text(folder / "models.config", models)
    write_text(folder / "batching_parameters.txt", _BATCHING)
    write_text(folder / "monitoring.config", _MONITORING)
    write_text(folder / "README.md", _readme(card, requests))


_USERS = """
The training had a vector of each user. Requests name no user, so each is answered as
one that it does not know, by the history alone."""


def _readme(card: dict[str, Any], requests: list[Request]) -> str:
    history, answer = _shortest(requests)
    embed = next(q for q in requests if q["signature"] == "embed")
    names = ", ".join(card["networks"])
    return _README.format(
        **{key: card[key] for key in ("name", "version", "items", "dataset", "k")},
        folder=shlex.quote(_served_folder(card["name"])),
        networks=f"The networks {names}" if "," in names else f"The network {names}",
        excluded=_EXCLUDED[card["protocol"]].format(window=card["history_length"]),
        users=_USERS if card.get("knows_users") else "",
        lowest=f"{LOWEST:.9g}",
        separator=f"`{json.dumps(card['separator'])}`",
        width=len(embed["outputs"]["query"][0]),
        shown=_SHOWN,
        row_call=_curl(card["name"], {"instances": [{"history": history}]}),
        row_answer=_json({"predictions": [answer]}),
        column_call=_curl(card["name"], {"inputs": {"history": [history]}}),
        column_answer=_json({"outputs": {key: [row] for key, row in answer.items()}}),
        quoted_name=_json(card["name"]),
        history=_json([history]),
        grpc_answer=str([item.encode() for item in answer["item_ids"]]),
    )


def _shortest(requests: list[Request]) -> tuple[list[str], dict[str, Any]]:
    """Returns the shortest history of known items, and the start of its answer."""
    request = max(
        (q for q in requests if q["signature"] == "serving_default" and q["warm_up"]),
        key=lambda q: q["rows"],
    )
    histories = [[i for i in row if i] for row in request["inputs"]["history"]]
    place = min(range(request["rows"]), key=lambda row: len(histories[row]))
    answer = {key: rows[place] for key, rows in request["outputs"].items()}
    lists = {key: answer[key][:_SHOWN] for key in ("item_ids", "scores")}
    return histories[place], {**answer, **lists}


def _curl(name: str, content: dict[str, Any]) -> str:
    url = f"http://localhost:8501/v1/models/{quote(name, safe='')}:predict"
    return shlex.join(["curl", "-d", _json(content), url])


def _served_folder(name: str) -> str:
    """Returns where TF Serving, in its container, finds a model."""
    return f"/models/{name}"


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False)

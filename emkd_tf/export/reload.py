"""Run as a script: sends an exported model requests, with TensorFlow as the only
import.

    python reload.py EXPORT FOLDER

reads FOLDER/requests.json, a list of {"signature", "inputs": {name: nested texts},
"rows"}, repeats the inputs' rows up to `rows`, and writes FOLDER/answers.json, a list
of {name: values}.
"""

import json
import sys
from pathlib import Path

import tensorflow as tf


def answer(model, request: dict) -> dict:
    """Calls a signature; texts come back as texts, numbers as numbers."""
    inputs = {}
    for name, values in request["inputs"].items():
        rows = [values[i % len(values)] for i in range(request["rows"])]
        inputs[name] = tf.constant(rows, tf.string)
    outputs = model.signatures[request["signature"]](**inputs)
    return {
        name: _texts(value.numpy().tolist())
        if value.dtype == tf.string
        else value.numpy().tolist()
        for name, value in outputs.items()
    }


def _texts(rows: list) -> list:
    return [[text.decode() for text in row] for row in rows]


def main(export: str, folder: Path) -> None:
    """Answers all requests."""
    requests = json.loads((folder / "requests.json").read_text(encoding="utf-8"))
    model = tf.saved_model.load(export)
    answers = [answer(model, request) for request in requests]
    (folder / "answers.json").write_text(json.dumps(answers), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

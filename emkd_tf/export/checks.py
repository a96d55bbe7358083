"""Checks of an exported folder: a fresh process with nothing but TensorFlow must answer
as the live model did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from emkd_tf.atomic_files import read_json
from emkd_tf.errors import CheckFailedError, InputError
from emkd_tf.export.check_requests import Request
from emkd_tf.export.ops import ALLOWED_OPS
from emkd_tf.retrieval.recommend import LOWEST

QUESTIONS_FILE = "checks.json"
_RELOAD = Path(__file__).with_name("reload.py")
_TOLERANCE = 1e-4  # of a row's size, between two orders of float32 summation


def verify(folder: Path) -> int:
    """Repeats the checks of an export.

    Args:
        folder: of one version.

    Returns:
        The number of requests that were answered as expected.

    Raises:
        InputError: the folder is not an export, or cannot be loaded.
        CheckFailedError: it answers differently, or uses operations that are not
            allowed.
    """
    try:
        requests = read_json(folder / QUESTIONS_FILE)
        expected = {request["signature"] for request in requests}
    except (OSError, ValueError, KeyError, TypeError) as error:
        found = [path.parent for path in folder.glob(f"*/{QUESTIONS_FILE}")]
        versions = [path for path in found if path.name.isdecimal()]
        newest = max(versions, key=lambda path: int(path.name), default=None)
        hint = f" Its versions are: check {newest}." if newest else ""
        raise InputError(
            f"{folder} is not an export of emkd: its {QUESTIONS_FILE} cannot be read "
            f"({error}).{hint}"
        ) from None
    folder = folder.resolve()
    model = read_saved_model(folder)
    if others := operations(model) - ALLOWED_OPS:
        raise CheckFailedError(
            f"{folder} uses operations that are not on the list of those that every "
            f"TensorFlow Serving has: {', '.join(sorted(others))}."
        )
    if not expected <= (offered := signatures(model)):
        raise CheckFailedError(
            f"{folder} offers the signatures {sorted(offered)}, not {sorted(expected)}."
        )
    answers = _ask_fresh_process(folder, requests)
    for request, answer in zip(requests, answers, strict=True):
        if reason := difference(request, answer):
            raise CheckFailedError(
                f"{folder}: signature {request['signature']} differs from the live "
                f"model: {reason}."
            )
    return len(requests)


def read_saved_model(folder: Path) -> saved_model_pb2.SavedModel:
    """Reads the graphs of a SavedModel without loading them.

    Raises:
        InputError: its saved_model.pb cannot be read.
    """
    model = saved_model_pb2.SavedModel()
    try:
        model.ParseFromString((folder / "saved_model.pb").read_bytes())
    except (OSError, DecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is damaged"
        raise InputError(f"{folder}/saved_model.pb cannot be read: {reason}.") from None
    return model


def operations(model: saved_model_pb2.SavedModel) -> set[str]:
    """Returns the names of all operations of a SavedModel."""
    graphs = [graph.graph_def for graph in model.meta_graphs]
    nodes = [node for graph in graphs for node in graph.node]
    for graph in graphs:
        nodes += [n for function in graph.library.function for n in function.node_def]
    return {node.op for node in nodes}


def signatures(model: saved_model_pb2.SavedModel) -> set[str]:
    """Returns the names of all signatures of a SavedModel."""
    return {name for graph in model.meta_graphs for name in graph.signature_def}


def difference(request: Request, answer: dict[str, list]) -> str | None:
    """Says how an answer differs from the expected one, if it does."""
    expected = request["outputs"]
    if set(expected) != set(answer):
        return f"its outputs are {sorted(answer)}"
    arrays = {}
    for name, values in expected.items():
        rows = [values[i % len(values)] for i in range(request["rows"])]
        arrays[name] = np.array(rows), np.array(answer[name])
        if arrays[name][0].shape != arrays[name][1].shape:
            return f"`{name}` has the shape {arrays[name][1].shape}"
    for name, (wanted, got) in arrays.items():
        if name == "item_ids":
            is_same = (wanted == got) | _nearly_tied(arrays["scores"][0])
        elif wanted.dtype.kind == "f":
            is_same = np.isclose(got, wanted, rtol=_TOLERANCE, atol=_rounding(wanted))
        else:
            is_same = wanted == got
        if not is_same.all():
            place = np.argwhere(~is_same)[0]
            at = tuple(place)
            return f"`{name}` at {place.tolist()} is {got[at]}, not {wanted[at]}"
    return None


def _nearly_tied(scores: np.ndarray) -> np.ndarray:
    """Where two scores nearly tie, either item may come first; what follows the last
    one is unknown."""
    room = _rounding(scores)
    near = np.isclose(scores[:, 1:], scores[:, :-1], rtol=_TOLERANCE, atol=room)
    after = np.pad(near, [(0, 0), (0, 1)], constant_values=True)
    return after | np.pad(near, [(0, 0), (1, 0)])


def _rounding(values: np.ndarray) -> np.ndarray:
    """Returns by how much each row [n, any] may be off: the terms of a sum may be as
    large as the largest value beside it."""
    is_score = np.abs(values) < -0.5 * LOWEST
    sizes = np.where(is_score, np.abs(values), 0.0)
    return _TOLERANCE * np.maximum(sizes.max(axis=1, keepdims=True, initial=0.0), 1.0)


def _ask_fresh_process(folder: Path, requests: list[Request]) -> list[dict]:
    """Runs `reload.py`, which imports nothing but TensorFlow."""
    with tempfile.TemporaryDirectory(prefix="emkd-reload-") as scratch:
        asked = [{k: q[k] for k in ("signature", "inputs", "rows")} for q in requests]
        (Path(scratch) / "requests.json").write_text(json.dumps(asked), "utf-8")
        _run(folder, [str(_RELOAD), str(folder), scratch])
        return read_json(Path(scratch) / "answers.json")


def _run(folder: Path, arguments: list[str]) -> str:
    """Runs Python without any path to this package and returns what it prints."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    process = subprocess.run(
        [sys.executable, *arguments],
        env={**environment, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
        cwd=tempfile.gettempdir(),
    )
    if process.returncode:
        lines = process.stderr.strip().splitlines() or ["no reason given"]
        raise InputError(
            f"A fresh process cannot load and ask {folder}: {lines[-1][:300]}"
        )
    return process.stdout

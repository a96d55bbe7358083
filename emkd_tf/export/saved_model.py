"""Writes a SavedModel, reloads it in a fresh process and compares it with the live
model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from emkd_tf.data.histories import Histories
from emkd_tf.errors import CheckFailedError, InputError
from emkd_tf.export.signatures import Retriever
from emkd_tf.files import new_folder
from emkd_tf.models.emkd import EMKD
from emkd_tf.retrieval.recommend import recommend

_RELOAD = Path(__file__).with_name("reload.py")
_NUM_CHECKED_USERS = 64
_TOLERANCE = 1e-4  # relative, between two orders of float32 summation


def next_version(folder: Path) -> int:
    """Returns the version after the largest in an export's folder, from 1."""
    versions = [int(p.name) for p in folder.glob("*") if p.name.isdecimal()]
    return max(versions, default=0) + 1


def export_saved_model(model: EMKD, histories: Histories, folder: Path, k: int) -> Path:
    """Exports a model as `<folder>/<version>/` for TF Serving.

    The folder appears only after a fresh process that has only TensorFlow has loaded it
    and answered like the live model.

    Args:
        model: to export.
        histories: with the raw ids; validation histories are the check's questions.
        folder: of all versions of the model.
        k: items that `serving_default` returns.

    Returns:
        The version's folder.

    Raises:
        InputError: the folder cannot be written.
        CheckFailedError: the reloaded model answers differently.
    """
    target = folder / str(next_version(folder))
    try:
        with new_folder(target) as unfinished:
            vocabulary = histories.folder / "item_ids.txt"
            # As an asset the file keeps its name; the SavedModel holds a copy.
            retriever = Retriever(model, vocabulary, k)
            tf.saved_model.save(
                retriever,
                str(unfinished),
                signatures={"serving_default": retriever.recommend},
            )
            _compare(model, histories, unfinished, k)
    except OSError as error:
        raise InputError(
            f"Export {target} cannot be written ({error.strerror or error}); choose "
            "another --saved-models-dir."
        ) from None
    return target


def _questions(histories: Histories) -> list[list[str]]:
    """Validation histories, an empty one, an unknown item and one longer than any."""
    names = np.array(histories.item_ids())
    users = np.arange(min(_NUM_CHECKED_USERS, histories.num_users))
    rows = histories.before_target("validation", users)
    known = [names[row[row > 0] - 1].tolist() for row in rows]
    return [
        *known,
        [],
        ["", "no such item", names[0].item()],
        (known[0] * 50)[:300],
    ]


def _compare(model: EMKD, histories: Histories, folder: Path, k: int) -> None:
    questions = _questions(histories)
    live_ids, live_scores, _ = recommend(model, histories, questions, k)
    answers = _ask_fresh_process(folder, questions)
    scores = np.array(answers["scores"], np.float32)
    if scores.shape != live_scores.shape:
        raise CheckFailedError(
            f"The export returns {scores.shape}, not {live_scores.shape}."
        )
    close = np.isclose(scores, live_scores, rtol=_TOLERANCE, atol=_TOLERANCE)
    same = np.array(answers["item_ids"]) == live_ids
    # Where two scores all but tie, either item may come first.
    gaps = np.abs(np.diff(live_scores, axis=1, append=live_scores[:, -1:]))
    before = np.roll(gaps, 1, axis=1)
    near = np.minimum(gaps, before) <= _TOLERANCE * np.maximum(1, np.abs(live_scores))
    if not (close.all() and (same | near).all()):
        raise CheckFailedError(
            f"The reloaded export differs from the live model (scores by up to "
            f"{np.abs(scores - live_scores).max():.3g}); nothing was exported."
        )


def _ask_fresh_process(folder: Path, questions: list[list[str]]) -> dict[str, list]:
    """Runs `reload.py`, which imports nothing but TensorFlow."""
    width = max(map(len, questions))
    padded = [[""] * (width - len(q)) + q for q in questions]
    scratch = Path(tempfile.mkdtemp(prefix="emkd-reload-"))
    try:
        (scratch / "questions.json").write_text(json.dumps(padded), encoding="utf-8")
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        process = subprocess.run(
            [sys.executable, str(_RELOAD), str(folder), str(scratch)],
            env={**environment, "CUDA_VISIBLE_DEVICES": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        if process.returncode:
            reason = process.stderr.strip().splitlines()[-1:]
            raise CheckFailedError(f"A fresh process cannot load the export: {reason}")
        return json.loads((scratch / "answers.json").read_text(encoding="utf-8"))
    finally:
        shutil.rmtree(scratch)

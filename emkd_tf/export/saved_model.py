"""Writes an export: the version's folder for TF Serving and the files beside it."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
from collections.abc import Collection, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import tensorflow as tf

from emkd_tf.atomic_files import new_folder, write_json, write_text
from emkd_tf.data.cold_items import IDS_FILE as COLD_FILE
from emkd_tf.data.histories import Histories
from emkd_tf.errors import CheckFailedError, InputError
from emkd_tf.export.check_requests import Request, check_requests
from emkd_tf.export.checks import QUESTIONS_FILE, verify
from emkd_tf.export.forward import forward_only
from emkd_tf.export.serving_files import write_serving_files
from emkd_tf.export.signatures import Retriever
from emkd_tf.export.vectors import (
    IndexQuality,
    import_faiss,
    write_faiss_index,
    write_vectors,
)
from emkd_tf.export.warmup import write_warm_up
from emkd_tf.models.ensemble import Ensemble
from emkd_tf.retrieval.recommend import VectorRecommender

_VECTORS = "vectors"
_PACKAGES = ("emkd-tf", "tensorflow", "numpy")


def next_version(folder: Path) -> int:
    """Returns the version after the largest in an export's folder, from 1."""
    found = [*folder.glob("*"), *(folder / _VECTORS).glob("*")]
    return max((int(p.name) for p in found if p.name.isdecimal()), default=0) + 1


def export_saved_model(
    ensemble: Ensemble,
    histories: Histories,
    folder: Path,
    *,
    k: int = 100,
    protocol: str = "unseen",
    card: dict[str, Any] | None = None,
    index: str | None = None,
    cold: Collection[str] = (),
) -> tuple[Path, IndexQuality | None]:
    """Exports networks as `<folder>/<version>/` for TF Serving.

    The version appears, complete, only after a fresh process with nothing but
    TensorFlow has loaded it and answered like the live model. Beside it come
    `vectors/<version>/` and the files of `serving_files`.

    Args:
        ensemble: networks to export.
        histories: with the raw ids; validation histories are the check's requests.
        folder: of all versions of the model; its name is the model's.
        k: items per list.
        protocol: which items of a history lists must not hold: "unseen" all, "window"
            those that the encoders see, "all" none.
        card: facts about the model, added to `card.json`.
        index: "faiss" for an approximate index beside the item vectors.
        cold: raw ids of the items that nobody chose, listed in a file beside the card.

    Returns:
        The version's folder, and the quality of the approximate index if there is one.

    Raises:
        InputError: the folder cannot be written, or faiss is missing.
        CheckFailedError: the reloaded model answers differently.
    """
    if index is not None:
        import_faiss()
    version = next_version(folder)
    target = folder / str(version)
    recommender = VectorRecommender(ensemble, histories, protocol)
    quality = None
    with (
        _one_line(target),
        new_folder(folder / _VECTORS / str(version)) as vectors,
        new_folder(target) as unfinished,
    ):
        requests = _save(unfinished, recommender, ensemble, histories, k)
        write_warm_up(unfinished, folder.name, requests)
        content = {
            **_card(ensemble, histories, k, recommender),
            **{"name": folder.name, "version": version, **(card or {})},
        }
        write_json(unfinished / "card.json", content)
        if cold:
            lines = "".join(f"{item}\n" for item in sorted(cold))
            write_text(unfinished / COLD_FILE, lines)
        write_vectors(vectors, recommender)
        if index is not None:
            quality = write_faiss_index(vectors, recommender, histories, k)
        write_serving_files(folder, content, requests)
    return target, quality


def _save(
    unfinished: Path,
    recommender: VectorRecommender,
    ensemble: Ensemble,
    histories: Histories,
    k: int,
) -> list[Request]:
    """Writes the SavedModel and checks that a fresh process answers requests like the
    live model."""
    # As an asset the vocabulary keeps its name; the SavedModel holds a copy.
    vocabulary = histories.folder / "item_ids.txt"
    retriever = Retriever(
        ensemble,
        vocabulary,
        recommender.popularity,
        k,
        recommender.separator,
        recommender.protocol,
    )
    with forward_only():
        tf.saved_model.save(retriever, str(unfinished), retriever.functions())
    requests = check_requests(recommender, histories, k)
    text = json.dumps(requests, ensure_ascii=False, separators=(",", ":"))
    write_text(unfinished / QUESTIONS_FILE, text)
    try:
        verify(unfinished)
    except InputError as error:  # about a folder that is ours
        raise CheckFailedError(str(error)) from None
    return requests


def _card(
    ensemble: Ensemble, histories: Histories, k: int, recommender: VectorRecommender
) -> dict[str, Any]:
    return {
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "dataset": histories.description["name"],
        "fingerprint": histories.fingerprint,
        "items": ensemble.num_items,
        "networks": ensemble.names,
        "history_length": ensemble.history_length,
        "k": min(k, ensemble.num_items),
        "separator": recommender.separator,
        "protocol": recommender.protocol,
        "knows_users": ensemble.knows_users,
        "packages": {name: _package_version(name) for name in _PACKAGES},
    }


def _package_version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


@contextlib.contextmanager
def _one_line(target: Path) -> Iterator[None]:
    """Turns file errors, Python's or TensorFlow's, into one line."""
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise InputError(
            f"Export {target} cannot be written ({reason}); choose another "
            "--saved-models-dir or make room."
        ) from None

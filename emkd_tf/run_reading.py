"""Reads files of a run directory whole, or refuses them in one line."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emkd_tf.errors import InputError


@contextlib.contextmanager
def reading(path: Path, *further: type[Exception]) -> Iterator[None]:
    """Turns errors in a block that reads a file of a run into one line.

    Args:
        path: the file.
        further: errors of the library that reads it.

    Raises:
        InputError: the file is missing or damaged.
    """
    errors: tuple[type[Exception], ...] = (
        *(OSError, ValueError, LookupError, TypeError),
        *further,
    )
    try:
        yield
    except errors:
        raise InputError(f"{path} is missing or damaged.") from None


def require_finished(run_dir: Path) -> None:
    """Refuses a run whose training has not finished.

    Raises:
        InputError: the run has no `metrics.json`.
    """
    if not (run_dir / "metrics.json").is_file():
        raise InputError(
            f"{run_dir} is not finished: it has no metrics.json; repeat the command "
            "that trained it."
        )


def read_epochs(run_dir: Path, *, is_growing: bool = False) -> list[dict[str, Any]]:
    """Returns the rows of `history.jsonl`, one per epoch; none for a model without
    training.

    Args:
        run_dir: the run's directory.
        is_growing: training may still be writing: an incomplete last line is skipped.

    Raises:
        InputError: the file is damaged.
    """
    path = run_dir / "history.jsonl"
    if not path.exists():
        return []
    with reading(path):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        if is_growing:
            lines = [line for line in lines if line.endswith("\n")]
        epochs = [json.loads(line) for line in lines]
        if not all(isinstance(epoch["epoch"], int) for epoch in epochs):
            raise ValueError(path)
        return epochs

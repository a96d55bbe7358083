"""Files of a run directory: read whole, or refused in one line."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emkd_tf.errors import InputError


@contextlib.contextmanager
def reading(path: Path, *further: type[Exception]) -> Iterator[None]:
    """Turns what can go wrong with a file of a run inside the block into one line.

    Args:
        path: of the file.
        further: errors of a library that reads it.

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
    """Refuses a run whose training has not ended.

    Raises:
        InputError: it has no `metrics.json`.
    """
    if not (run_dir / "metrics.json").is_file():
        raise InputError(
            f"{run_dir} is not finished: it has no metrics.json; repeat the command "
            "that trained it."
        )


def read_epochs(run_dir: Path, *, is_growing: bool = False) -> list[dict[str, Any]]:
    """Returns the rows of `history.jsonl`, one an epoch; none of a model that is not
    trained.

    Args:
        run_dir: of the run.
        is_growing: a training may be writing: a last line without its end is left out.

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

"""Run directories, which may be given by name."""

from __future__ import annotations

import difflib
from pathlib import Path

from emkd_tf.config.sections import RunConfig
from emkd_tf.errors import InputError

CONFIG_FILE = "config.yaml"  # of a run directory


def run_path(run: str | Path) -> Path:
    """Returns the directory of a run, which may be given by its name in `runs/`."""
    path, named = Path(run), Path(RunConfig.runs_dir) / run
    has_config = [(p / CONFIG_FILE).exists() for p in (path, named)]
    return named if has_config == [False, True] else path


def no_run(path: Path) -> InputError:
    """Returns the error for a path that is not a run directory."""
    text = f"{path} is not a run directory: it has no {CONFIG_FILE}."
    if path.exists() or path.name != str(path):
        return InputError(text)
    runs = Path(RunConfig.runs_dir)
    known = [file.parent.name for file in runs.glob(f"*/{CONFIG_FILE}")]
    close = difflib.get_close_matches(path.name, known, n=1)
    hint = f" Did you mean `{close[0]}`?" if close else ""
    return InputError(f"{text} {runs / path} is not one either.{hint}")

"""Settings from YAML files: one a dataset, with its presets, and the user's own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from emkd_tf.config import KEYS, nearest
from emkd_tf.errors import InputError

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "configs"  # in a wheel; a checkout has them beside the package
CONFIGS_DIR = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "configs"


def read_yaml(path: Path) -> dict[str, Any]:
    """Reads one settings file: flat keys, and `presets` by name.

    Raises:
        InputError: the file is missing, no valid YAML or no mapping to single values.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"Config file {path} does not exist; check the path."
        ) from None
    except OSError as error:
        raise InputError(
            f"Config file {path} cannot be read: {error.strerror}."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" line {where.line + 1}" if where else ""
        raise InputError(f"{path}{line} is not valid YAML; correct it.") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise InputError(f"{path} must hold `key: value` lines.")
    presets = values.get("presets") or {}
    if not isinstance(presets, dict):
        raise InputError(f"{path}: `presets` must hold settings by name.")
    _check_keys(path, {k: v for k, v in values.items() if k != "presets"})
    for name, preset in presets.items():
        _check_keys(path, preset or {}, f" in preset {name!r}")
    return values


def _check_keys(path: Path, values: Any, where: str = "") -> None:
    if not isinstance(values, dict):
        raise InputError(f"{path} must hold `key: value` lines{where}.")
    for key, value in values.items():
        if key not in KEYS:
            raise InputError(
                f"{path}: unknown key `{key}`{where}. {nearest(str(key), KEYS)}"
            )
        # Also because a list of aliases of lists grows without end when printed.
        if isinstance(value, (list, dict)):
            raise InputError(f"{path}: `{key}`{where} must be a single value.")


def layered(dataset: str, preset: str | None, files: Iterable[Path]) -> dict[str, Any]:
    """Merges the dataset's YAML, its preset and further files, later ones winning.

    A dataset without a YAML of its own has no presets and starts from the defaults.

    Raises:
        InputError: an unknown preset or key.
    """
    own = CONFIGS_DIR / f"{dataset}.yaml"
    # Not `own.exists()`: that fails at names no file can have.
    base = read_yaml(own) if os.path.exists(own) else {}
    presets = base.pop("presets", None) or {}
    merged = dict(base)
    if preset is not None:
        if preset not in presets:
            raise InputError(
                f"`preset` {preset!r} is not in {own.name}. {nearest(preset, presets)}"
            )
        merged.update(presets[preset])
    for file in files:
        values = read_yaml(Path(file))
        values.pop("presets", None)
        merged.update(values)
    return merged

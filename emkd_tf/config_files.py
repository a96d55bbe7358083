"""Settings from YAML files: one a dataset, with its presets, and the user's own."""

from __future__ import annotations

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
        InputError: the file is missing, no valid YAML or no mapping.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"Config file {path} does not exist; check the path."
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" line {where.line + 1}" if where else ""
        raise InputError(f"{path}{line} is not valid YAML; correct it.") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise InputError(f"{path} must hold `key: value` lines.")
    unknown = [key for key in values if key not in KEYS and key != "presets"]
    if unknown:
        raise InputError(
            f"{path}: unknown key `{unknown[0]}`. {nearest(str(unknown[0]), KEYS)}"
        )
    return values


def layered(dataset: str, preset: str | None, files: Iterable[Path]) -> dict[str, Any]:
    """Merges the dataset's YAML, its preset and further files, later ones winning.

    A dataset without a YAML of its own has no presets and starts from the defaults.

    Raises:
        InputError: an unknown preset or key.
    """
    own = CONFIGS_DIR / f"{dataset}.yaml"
    base = read_yaml(own) if own.exists() else {}
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

"""Settings from YAML files: for datasets, models and presets, and the user's own."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from emkd_tf.config.flat import KEYS, nearest
from emkd_tf.config.model_table import DEFAULT_MODEL, unread
from emkd_tf.errors import InputError

_PACKAGE = Path(__file__).resolve().parent.parent
_INSTALLED = _PACKAGE / "configs"  # in a wheel; a checkout has them beside the package
CONFIGS_DIR = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "configs"
NO_PRESET = "none"  # the model's settings as they are
# What a settings file may hold besides settings: groups of them.
_BY_NAME = {"presets": "preset", "datasets": "dataset"}


def read_yaml(path: Path) -> dict[str, Any]:
    """Reads one settings file: flat keys, and `presets` and `datasets` by name.

    Raises:
        InputError: the file is missing, is not valid YAML or is not a mapping to single
            values.
    """
    return _checked(path, load_yaml(path))


class _Loader(yaml.SafeLoader):
    """Refuses duplicate keys, of which YAML would keep the last."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key in (k for k, _ in node.value if isinstance(k, yaml.ScalarNode)):
            if key.value in seen:  # as text: 1 and "1" are one label
                raise InputError(
                    f"line {key.start_mark.line + 1} has the key `{key.value}` again; "
                    "leave one of them."
                )
            seen.add(key.value)
        return node


def load_yaml(path: Path) -> Any:
    """Reads any YAML file; an empty one is an empty mapping.

    Raises:
        InputError: the file is missing, is not valid YAML or has a duplicate key.
    """
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        raise InputError(
            f"Config file {path} does not exist; check the path."
        ) from None
    except OSError as error:
        raise InputError(
            f"Config file {path} cannot be read: {error.strerror}."
        ) from None
    except InputError as error:
        raise InputError(f"{path} {error}") from None
    # ValueError: bytes that are not text, or an invalid date.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" line {where.line + 1}" if where else ""
        raise InputError(f"{path}{line} is not valid YAML; correct it.") from None
    return {} if values is None else values


def _checked(path: Path, values: Any, where: str = "") -> dict[str, Any]:
    """Returns settings and groups of them, all known."""
    if not isinstance(values, dict):
        raise InputError(f"{path} must hold `key: value` lines{where}.")
    values = {key: _text(value) for key, value in values.items()}
    for key, value in values.items():
        if key in _BY_NAME:
            values[key] = _groups(path, key, value or {})
        elif key not in KEYS:
            raise InputError(
                f"{path}: unknown key `{key}`{where}. {nearest(str(key), KEYS)}"
            )
        # Also because a list of aliases of lists grows without bound when printed.
        elif isinstance(value, (list, dict)):
            raise InputError(f"{path}: `{key}`{where} must be a single value.")
    return values


def _groups(path: Path, kind: str, groups: Any) -> dict[str, dict[str, Any]]:
    if not isinstance(groups, dict):
        raise InputError(f"{path}: `{kind}` must hold settings by name.")
    return {
        name: _checked(path, group or {}, f" in {_BY_NAME[kind]} {name!r}")
        for name, group in groups.items()
    }


def _read_if_there(path: Path) -> dict[str, Any]:
    # Not `path.exists()`, which fails on names that no file can have.
    return read_yaml(path) if os.path.exists(path) else {}


def _text(value: Any) -> Any:
    """Returns the original text of what YAML parsed as a date."""
    return value.isoformat() if isinstance(value, datetime.date) else value


def of_file(values: Mapping[str, Any], dataset: str) -> dict[str, Any]:
    """Returns the settings of a file or group, including its own for a dataset."""
    settings = {k: v for k, v in values.items() if k in KEYS}
    return {**settings, **values.get("datasets", {}).get(dataset, {})}


def layered(
    dataset: str, preset: str | None, files: Iterable[Path], model: str = DEFAULT_MODEL
) -> dict[str, Any]:
    """Merges the YAML of a dataset, a model, a preset and further files; later ones
    win.

    Datasets and models need not have a file.

    Raises:
        InputError: an unknown preset or key.
    """
    of_dataset = _read_if_there(CONFIGS_DIR / "datasets" / f"{dataset}.yaml")
    of_model = _read_if_there(CONFIGS_DIR / "models" / f"{model}.yaml")
    merged = of_dataset | of_file(of_model, dataset)
    if preset not in (None, NO_PRESET):
        groups = _presets(of_model, model)
        if preset not in groups:
            raise InputError(
                f"`preset` {preset!r} is not a preset of {model}. "
                f"{nearest(preset, [*groups, NO_PRESET])}"
            )
        merged |= of_file(groups[preset], dataset)
    for file in files:
        merged |= of_file(read_yaml(Path(file)), dataset)
    return merged


def _presets(of_model: Mapping[str, Any], model: str) -> dict[str, dict[str, Any]]:
    """Returns the presets of a model: those of all models, and its own on top."""
    path = CONFIGS_DIR / "presets.yaml"
    of_all = _groups(path, "presets", load_yaml(path))
    own = of_model.get("presets", {})
    known = {
        name: {k: v for k, v in group.items() if k not in unread(model)}
        for name, group in of_all.items()
    }
    return {
        name: {**known.get(name, {}), **own.get(name, {})} for name in {**known, **own}
    }

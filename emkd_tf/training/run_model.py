"""The model of a finished run: with its best weights, counted again, or the sum of
other runs' models."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from emkd_tf.atomic_files import link_or_copy, new_folder
from emkd_tf.config import Config, from_flat, to_flat
from emkd_tf.config.model_table import MODELS
from emkd_tf.config.run_names import CONFIG_FILE
from emkd_tf.data.histories import Histories
from emkd_tf.data.prepare import prepare
from emkd_tf.errors import InputError
from emkd_tf.models.cold_weights import copy_weights
from emkd_tf.models.ensemble import Ensemble
from emkd_tf.models.ranker import Scorer
from emkd_tf.models.recommender import Recommender
from emkd_tf.training import run_data
from emkd_tf.training.checkpoints import restore
from emkd_tf.training.host_memory import keep_freed_memory
from emkd_tf.training.run_config import MEMBERS, read_config
from emkd_tf.training.setup import build_model

_KEPT = (CONFIG_FILE, "dataset.json", "checkpoints/best", MEMBERS)


def open_run(
    run_dir: Path, overrides: dict[str, Any] | None = None
) -> tuple[Config, Histories, Recommender | Ensemble | Scorer]:
    """Opens a run: its config, its dataset and its model with the best weights; a
    counted model is counted again.

    Args:
        run_dir: of the run.
        overrides: settings that replace the run's own. Files of interactions or
            attributes are read and must be those that the run was trained on; without
            them the data is found by its content.

    Raises:
        InputError: no run, no checkpoint, or data other than the run's.
    """
    config, histories = open_data(run_dir, overrides)
    return config, histories, open_model(run_dir, config, histories)


def open_data(
    run_dir: Path, overrides: dict[str, Any] | None = None
) -> tuple[Config, Histories]:
    """Opens a run's config and dataset, see `open_run`."""
    keep_freed_memory()
    overrides = overrides or {}
    config = from_flat({**to_flat(read_config(run_dir)), **overrides})
    if {"interactions", "attributes"} & set(overrides):
        return config, run_data.same_data(run_dir, prepare(config.data))
    return config, run_data.find(run_dir, config)


def open_model(
    run_dir: Path,
    config: Config,
    histories: Histories,
    with_cold: Histories | None = None,
) -> Recommender | Ensemble | Scorer:
    """Opens the model of a run.

    Args:
        run_dir, config: of the run.
        histories: that it was trained on.
        with_cold: the same with cold items after the others, for which the model gets
            weights too.

    Raises:
        InputError: no checkpoint, or one of another model.
    """
    if (run_dir / MEMBERS).is_dir():
        return sum_of(sorted((run_dir / MEMBERS).iterdir()), histories, with_cold)
    model = build_model(config, histories)
    if not isinstance(model, Recommender):
        return model
    weights = tf.train.Checkpoint(towers=model.towers)
    restore(run_dir / "checkpoints" / "best", weights)
    if with_cold is None:
        return model
    larger = build_model(config, with_cold)
    assert isinstance(larger, Recommender)
    copy_weights(model, larger, with_cold)
    return larger


def sum_of(
    run_dirs: Sequence[Path], histories: Histories, with_cold: Histories | None = None
) -> Ensemble:
    """Opens runs on the same data as one ensemble of all their networks, which are
    named after the runs. The number before a name in an ensemble's own folder is
    dropped if the name is then still unique.

    Args:
        run_dirs: of the runs.
        histories, with_cold: see `open_model`.

    Raises:
        InputError: a run cannot be opened, or its scores are not an inner product.
    """
    towers, names = [], []
    for path, name in zip(run_dirs, _names_in_sum(run_dirs), strict=True):
        config = read_config(path)
        model = open_model(path, config, histories, with_cold)
        ensemble = require_ensemble(model, config, f"{path} is no part of a sum")
        is_one = len(ensemble.towers) == 1
        towers += ensemble.towers
        names += [name if is_one else f"{name}/{each}" for each in ensemble.names]
    return Ensemble(towers, names)


def _names_in_sum(run_dirs: Sequence[Path]) -> list[str]:
    names = [path.resolve().name for path in run_dirs]
    for number, path in enumerate(run_dirs):
        if path.parent.name == MEMBERS:
            names[number] = names[number].partition("-")[2]
    return [
        name if names.count(name) == 1 else f"{number:02}-{name}"
        for number, name in enumerate(names, 1)
    ]


def ensemble_of(model: Recommender | Ensemble | Scorer) -> Ensemble | None:
    """Returns the towers that a model is made of; None if it has none."""
    return model if isinstance(model, Ensemble) else getattr(model, "ensemble", None)


def require_ensemble(
    model: Recommender | Ensemble | Scorer, config: Config, without: str
) -> Ensemble:
    """Returns the towers that a model is made of.

    Args:
        model, config: of a run.
        without: what a model without towers cannot provide, as a sentence.

    Raises:
        InputError: it has none.
    """
    ensemble = ensemble_of(model)
    if ensemble is None:
        title = MODELS[config.model.model].title
        raise InputError(f"{title} is counted, not trained: {without}.")
    return ensemble


def keep_members(run_dirs: Sequence[Path], run_dir: Path) -> None:
    """Keeps what is needed to open runs as `members/` in a run directory, so that the
    runs may be moved or removed. Files are hard links where the file system has
    them."""
    with new_folder(run_dir / MEMBERS) as unfinished:
        for number, path in enumerate(run_dirs, 1):
            member = unfinished / f"{number:02}-{path.resolve().name}"
            member.mkdir()
            for name in _KEPT:
                _keep(path / name, member / name)


def _keep(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, copy_function=link_or_copy)
    elif source.exists():
        link_or_copy(source, target)

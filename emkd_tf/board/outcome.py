"""What a finished run writes for TensorBoard: HParams, metrics, the embeddings of
items."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from emkd_tf.config import BESIDE_TRAINING
from emkd_tf.config.model_table import unread
from emkd_tf.evaluation.metrics import METRICS

_FOLDERS = {"validation": "validation_of_best_epoch", "test": "test"}


def write_outcome(
    folder: Path, settings: Mapping[str, Any], metrics: Mapping[str, Any]
) -> None:
    """Writes a run's settings and metrics, for HParams and for the scalars.

    Args:
        folder: of the run's event files.
        settings: of the run, by flat name.
        metrics: the content of `metrics.json`.
    """
    skipped = BESIDE_TRAINING | _unread(settings)
    kept = {
        key: value
        for key, value in settings.items()
        if key not in skipped and value is not None
    }
    step = int(metrics["best_epoch"])
    with tf.summary.create_file_writer(str(folder)).as_default(step=step) as writer:
        hparams.hparams_config([hparams.HParam(key) for key in kept], _metrics())
        hparams.hparams(kept, trial_id=folder.parent.name)
        for split in _FOLDERS:
            for name, value in metrics.get(split, {}).items():  # the test may be unread
                tf.summary.scalar(_tag(split, name), value)
        writer.flush()


def _metrics() -> list[hparams.Metric]:
    return [
        hparams.Metric(_tag(split, name), display_name=f"{split} {name}")
        for split in _FOLDERS
        for name in METRICS
    ]


def _tag(split: str, metric: str) -> str:
    return f"{_FOLDERS[split]}/{metric}"


def settings_card(settings: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Returns a run's data and settings as Markdown.

    Args:
        settings: by flat name.
        data: the content of `dataset.json`.
    """
    counts = ("users", "items", "actions", "attributes", "sparsity_percent")
    of_data = {"dataset": data["name"], **{k: data[k] for k in counts if k in data}}
    of_data["licence"] = data.get("licence") or "not known"
    skipped = _unread(settings)
    of_run = {key: value for key, value in settings.items() if key not in skipped}
    return "\n".join([*_table("data", of_data), "", *_table("setting", of_run)])


def _unread(settings: Mapping[str, Any]) -> frozenset[str]:
    return unread(str(settings["model"]), str(settings["task"]))


def _table(title: str, values: Mapping[str, Any]) -> list[str]:
    rows = [f"| {key} | {value} |" for key, value in values.items()]
    return [f"| {title} | |", "|---|---|", *rows]

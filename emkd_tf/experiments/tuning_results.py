"""What a search found, as files: a preset, a table of its trials, and TensorBoard's
HParams."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
import polars as pl
import tensorflow as tf
import yaml
from optuna.trial import FrozenTrial, TrialState
from tensorboard.plugins.hparams import api as hparams

from emkd_tf.atomic_files import write_text
from emkd_tf.config import BESIDE_TRAINING, Config, from_flat, to_flat
from emkd_tf.config.files import layered
from emkd_tf.config.flags import as_flags
from emkd_tf.config.model_table import unread
from emkd_tf.evaluation.metrics import SELECTION_METRIC
from emkd_tf.evaluation.text_tables import TextTable

_METRIC = f"validation/{SELECTION_METRIC}"
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
_SHOWN = 5


def write_results(
    study: optuna.Study, config: Config, folder: Path, command: Sequence[str]
) -> list[Path]:
    """Writes `trials.csv`, `hparams` for TensorBoard and, if a trial has finished,
    `best.yaml`.

    Args:
        study: of the search.
        config: that all trials share.
        folder: to write to.
        command: that makes them, to be shown in the preset.

    Returns:
        The files and the folder.
    """
    write_text(folder / "trials.csv", trials_frame(study).write_csv())
    _write_hparams(study, folder / "hparams")
    found = [folder / "trials.csv", folder / "hparams"]
    if best := best_trial(study):
        settings = preset(config, best.user_attrs["settings"])
        text = "\n".join([*_heading(study, best, config, folder, command), ""])
        text += yaml.safe_dump(settings, sort_keys=False)
        write_text(folder / "best.yaml", text)
        found.append(folder / "best.yaml")
    return found


def best_trial(study: optuna.Study) -> FrozenTrial | None:
    """Returns the trial with the best validation among those trained to their end; the
    first if several tie."""
    whole = study.get_trials(states=[TrialState.COMPLETE])
    return max(whole, key=lambda t: (t.value, -t.number), default=None)


def preset(config: Config, searched: dict[str, Any]) -> dict[str, Any]:
    """Returns what turns the model's own settings for its dataset into a trial's: every
    deciding setting in which the two differ."""
    model, dataset = config.model.model, config.data.dataset
    known = "own" if config.data.interactions else dataset
    plain = to_flat(from_flat({**layered(known, None, [], model), "model": model}))
    aside = {*BESIDE_TRAINING, *unread(model), "dataset", "seed"}
    settings = {**to_flat(config), **searched}
    changed = {k: v for k, v in settings.items() if k not in aside and v != plain[k]}
    return {"model": model, **changed, **searched}


def trials_frame(study: optuna.Study) -> pl.DataFrame:
    """Returns a row for each trial: its settings and its result."""
    rows = [
        {
            "trial": trial.number,
            "state": trial.state.name.lower(),
            _METRIC: _value(trial),
            "epochs": trial.last_step,
            "seconds": trial.user_attrs.get("seconds"),
            "run": trial.user_attrs.get("run"),
            "failure": trial.user_attrs.get("failure"),
            **trial.user_attrs["settings"],
        }
        for trial in study.trials
        if "settings" in trial.user_attrs
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def best_table(study: optuna.Study) -> TextTable:
    """Returns the best finished trials, with the settings in which they differ."""
    whole = study.get_trials(states=[TrialState.COMPLETE])
    whole.sort(key=lambda trial: (-(trial.value or 0.0), trial.number))
    names = list(whole[0].user_attrs["settings"]) if whole else []
    rows = [
        [f"{trial.number}", f"{trial.value:.4f}"]
        + [str(trial.user_attrs["settings"][name]) for name in names]
        for trial in whole[:_SHOWN]
    ]
    title = f"The best of {len(study.trials)} trials, {len(whole)} trained to the end"
    return TextTable(title, ["trial", f"validation {SELECTION_METRIC}", *names], rows)


def _value(trial: FrozenTrial) -> float | None:
    """The best validation of a trial; of a pruned one, up to where it stopped."""
    if trial.state == TrialState.COMPLETE:
        return trial.value
    return max(trial.intermediate_values.values(), default=None)


def _heading(
    study: optuna.Study,
    best: FrozenTrial,
    config: Config,
    folder: Path,
    command: Sequence[str],
) -> list[str]:
    data = config.data
    source = "interactions" if data.interactions else "dataset"
    paths = (source, "attributes", "data_dir", "cache_dir")
    train = ["emkd", "train", *as_flags({key: getattr(data, key) for key in paths})]
    train += [f"--config={folder / 'best.yaml'}"]
    ended = study.get_trials(states=_ENDED)
    seconds = study.user_attrs.get("seconds", 0.0)
    return [
        f"# {_METRIC} {best.value:.4f}, the best of {len(ended)} trials in "
        f"{seconds:,.0f} s; the test was not read.",
        f"#   {shlex.join(command)}",
        f"#   {shlex.join(train)}",
    ]


def _write_hparams(study: optuna.Study, folder: Path) -> None:
    """Writes the settings and the curve of each trial that ended to its own folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for trial in study.get_trials(states=_ENDED):
        name = f"trial-{trial.number:03}"
        writer = tf.summary.create_file_writer(str(folder / name))
        with writer.as_default():
            hparams.hparams(trial.user_attrs["settings"], trial_id=name)
            last = max(trial.intermediate_values, default=0)
            values = {**trial.intermediate_values, last: _value(trial)}
            for epoch, value in values.items():
                tf.summary.scalar(_METRIC, value, step=epoch)
        writer.close()

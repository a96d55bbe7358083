"""Inspects a log: what it holds, what would be dropped and where, what is left."""

from __future__ import annotations

import dataclasses
import shlex
from typing import Any

import numpy as np

from emkd_tf.config import Config, DataConfig, to_flat
from emkd_tf.config.flags import read_settings
from emkd_tf.config.model_table import DEFAULT_MODEL, MODELS
from emkd_tf.data.attributes import attribute_arrays, no_item_known
from emkd_tf.data.cleaning import (
    Actions,
    count_repeats,
    encode,
    in_ties,
    is_first,
    order_in_time,
    steps,
)
from emkd_tf.data.engine import is_global, nothing_left
from emkd_tf.data.interactions import Log, read_interactions
from emkd_tf.data.likely_times import likely_times
from emkd_tf.data.own_files import read_own_attributes
from emkd_tf.data.times import as_date
from emkd_tf.data.training_cost import Speed, training_cost
from emkd_tf.errors import InputError


def validate(config: Config, preset: str | None) -> dict[str, Any]:
    """Inspects a log of your own.

    Args:
        config: the log with its attributes, columns and filters, and the model and
            training to estimate.
        preset: the preset that the config was read with, if any, for the command to run
            next.

    Returns:
        The report, of numbers, texts, lists and dicts. "problem" says why training
        would refuse the log and how to fix it, or is None; "next" is the command to
        train, if there is no problem.

    Raises:
        InputError: the file cannot be read, or no action is left.
    """
    data = config.data
    log = read_interactions(data)
    actions = encode(log.actions)
    if not len(actions):
        raise nothing_left(data, log.dropped.counts, log.columns)
    kept, dropped = _drop(log, actions, data)
    attributes, problem = _attributes(config, kept, log)
    problem = _problem(data, log, kept, dropped) or problem
    has_time = "time" in log.columns
    return {
        "file": data.interactions,
        "kind": log.table.kind,
        "rows": log.rows.found["rows"],
        "columns": log.columns,
        "unused_columns": log.unused,
        "order": "time" if has_time else "rows of the file",
        "likely_times": [] if has_time else likely_times(log.table, log.unused),
        "times": _times(log, actions),
        "rounded_times": log.rounded_times,
        "users": len(actions.user_ids),
        "items": len(actions.item_ids),
        "actions": len(actions),
        "actions_per_user": _spread(np.bincount(actions.users)),
        "actions_per_item": _spread(np.bincount(actions.items)),
        **_repeats_and_ties(actions, has_time=has_time),
        "dropped_rows": dropped,
        "left": _left(kept),
        **attributes,
        "estimate": _estimate(config, kept),
        "problem": problem,
        "next": None if problem else next_command(config, preset),
    }


def _problem(
    config: DataConfig, log: Log, kept: Actions, dropped: dict[str, Any]
) -> str | None:
    """Returns why preparation would refuse the log, or None."""
    try:
        is_global(config, has_times="time" in log.columns)
        if not len(kept):
            rows = {reason: found["rows"] for reason, found in dropped.items()}
            raise nothing_left(config, rows, log.columns)
    except InputError as error:
        return str(error)
    return None


def _drop(
    log: Log, actions: Actions, config: DataConfig
) -> tuple[Actions, dict[str, Any]]:
    """Returns what preparation would leave, and what it would drop by reason."""
    dropped = {
        reason: {"rows": rows, "first": log.dropped.first[reason]}
        for reason, rows in log.dropped.counts.items()
    }
    numbers = np.arange(len(actions))
    kept = actions
    for reason, is_kept, left in steps(
        actions, config.user_core, config.item_core, config.duplicates
    ):
        kept = left
        if not is_kept.all():
            first = int(numbers[np.argmin(is_kept)])
            rows = len(is_kept) - int(np.count_nonzero(is_kept))
            dropped[reason] = {"rows": rows, "first": log.place(first)}
        numbers = numbers[is_kept]
    return kept, dropped


def _times(log: Log, actions: Actions) -> dict[str, Any] | None:
    if "time" not in log.columns:
        return None
    unit = log.rows.unit
    earliest, latest = actions.times.min().item(), actions.times.max().item()
    return {
        "earliest": as_date(earliest, unit),
        "latest": as_date(latest, unit),
        "per_second": unit,
    }


def _spread(counts: np.ndarray) -> dict[str, float]:
    counts = counts[counts > 0]
    return {
        "median": float(np.median(counts)),
        "p90": float(np.percentile(counts, 90)),
        "max": int(counts.max()),
    }


def _repeats_and_ties(actions: Actions, *, has_time: bool) -> dict[str, int]:
    """Counts actions on items that the user has acted on before, and actions at the
    same time as another action of the user; equal rows count once."""
    unique = actions.filter(is_first(actions))
    unique = unique.filter(order_in_time(unique))
    ties = np.count_nonzero(in_ties(unique.users, unique.times))
    return {
        "repeats": count_repeats(unique),
        "ties_in_time": int(ties) if has_time else 0,
    }


def _left(kept: Actions) -> dict[str, int]:
    return {
        "users": len(np.unique(kept.users)),
        "items": len(np.unique(kept.items)),
        "actions": len(kept),
    }


def _attributes(
    config: Config, kept: Actions, log: Log
) -> tuple[dict[str, Any], str | None]:
    """Returns the report on the attributes, and why preparation would refuse them."""
    if config.data.attributes is None:
        return {}, None
    found = read_own_attributes(config.data, log)
    ids = kept.item_ids[np.unique(kept.items)]
    offsets, _, names = attribute_arrays(found.pairs, ids)
    problem = None
    if len(found.pairs) and len(ids) and not names:
        problem = str(no_item_known(config.data.dataset, found.pairs, ids))
    description = {
        "attributes": {
            "file": config.data.attributes,
            "item_column": found.item_column,
            "columns": list(found.columns),
            "left_out": found.left_out,
            "values": len(names),
            "items_with_attributes": int(np.count_nonzero(np.diff(offsets))),
        }
    }
    return description, problem


def _estimate(config: Config, kept: Actions) -> dict[str, Any] | None:
    if not len(kept) or not MODELS[config.model.model].is_trained:
        return None
    lengths = np.bincount(kept.users)
    lengths = lengths[lengths > 0].astype(np.int64) - 2  # two are held out
    items = len(np.unique(kept.items))
    cost = training_cost(config, lengths, items, Speed.measure())
    return dataclasses.asdict(cost)


def next_command(config: Config, preset: str | None) -> str:
    """Returns the command that trains on what was validated."""
    words = ["--interactions", str(config.data.interactions)]
    if config.model.model != DEFAULT_MODEL:
        words += ["--model", config.model.model]
    words += ["--preset", preset] if preset else []
    plain = to_flat(read_settings("emkd train", None, words).config)
    for key, value in to_flat(config).items():
        if key != "dataset" and value not in (None, plain[key]):
            text = str(value).lower() if isinstance(value, bool) else str(value)
            words += [f"--{key.replace('_', '-')}", text]
    return shlex.join(["emkd", "train", *words])

"""Reads the saved ranks of finished runs without TensorFlow, and compares them only if
they answer the same question."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from emkd_tf.atomic_files import read_json
from emkd_tf.config import BESIDE_TRAINING, from_flat, to_flat
from emkd_tf.config.run_names import CONFIG_FILE, no_run
from emkd_tf.errors import InputError
from emkd_tf.evaluation.metrics import NEVER
from emkd_tf.run_reading import reading, require_finished

# What may differ within a group of seeds; not the protocol, which chose the best epoch.
_MAY_DIFFER = {*BESIDE_TRAINING, "seed"}
SUM = " + "  # joins the models' names of a run that is a sum of others
_OF_USERS = ("target", "is_repeat", "history_length", "target_count")
_SEED_IN_NAME = re.compile(r"[-_.]?seed[-_.=]?\d+$")


@dataclasses.dataclass(frozen=True)
class RunRanks:
    """The ranks of one split of a run under one protocol.

    Attributes:
        path: the run directory.
        dataset, fingerprint: name and content hash of its data.
        model: its name.
        settings: the run's settings, by flat name.
        protocol: decides what was excluded from the ranking.
        history_length: how many of the newest items the model reads; for older runs the
            setting `max_length`.
        columns: of the users that the split evaluates: user; rank (from 1; NEVER if
            the target itself is excluded); in newer runs also target, is_repeat,
            history_length, target_count.
    """

    path: Path
    dataset: str
    fingerprint: str
    model: str
    settings: dict[str, Any]
    protocol: str
    history_length: int | None
    columns: pl.DataFrame

    @property
    def ranks(self) -> np.ndarray:
        """[users] int."""
        return self.columns["rank"].to_numpy()

    @property
    def is_excluded(self) -> np.ndarray:
        """[users] bool: the target cannot be in any list."""
        return self.ranks >= NEVER


def read_run(path: Path, split: str, protocol: str | None = None) -> RunRanks:
    """Reads the saved ranks of a finished run.

    Args:
        path: the run directory.
        split: "validation" or "test".
        protocol: None takes the run's own.

    Raises:
        InputError: not a run, unfinished, damaged, or without these ranks.
    """
    if not (path / CONFIG_FILE).is_file():
        raise no_run(path)
    require_finished(path)
    with reading(path / "dataset.json"):
        description = read_json(path / "dataset.json")
        dataset, fingerprint = description["name"], description["fingerprint"]
    with reading(path / "metrics.json"):
        metrics = read_json(path / "metrics.json")
        model, own_protocol = metrics["model"], metrics["protocol"]
        history_length = metrics.get("history_length")
    with reading(path / CONFIG_FILE, yaml.YAMLError):
        text = (path / CONFIG_FILE).read_text(encoding="utf-8")
        settings = dict(yaml.safe_load(text))
    of_users = path / "per_user.parquet"
    with reading(of_users, pl.exceptions.PolarsError):
        known = list(pl.read_parquet_schema(of_users))
    protocol = protocol or own_protocol
    ranks = f"{split}_{protocol}"
    if ranks not in known:
        raise _no_ranks(path, split, ranks, known)
    wanted = {"user": "user", ranks: "rank"}
    wanted.update({f"{split}_{name}": name for name in _OF_USERS})
    with reading(of_users, pl.exceptions.PolarsError):
        columns = pl.read_parquet(of_users, columns=[n for n in wanted if n in known])
        columns = columns.rename(wanted, strict=False)
        if "target" in columns.columns:  # null: the split does not evaluate this user
            columns = columns.drop_nulls("target")
        if not _are_ranks(columns["rank"]):
            raise ValueError(ranks)
    return RunRanks(
        *(path, dataset, fingerprint, model, settings, protocol),
        history_length or settings.get("max_length"),
        columns,
    )


def _no_ranks(path: Path, split: str, ranks: str, known: list[str]) -> InputError:
    others = [name for name in known if name.startswith(f"{split}_")]
    if not others:
        return InputError(
            f"{path} has no ranks of the {split}: it was trained with --test false."
        )
    return InputError(
        f"{path}/per_user.parquet has no column `{ranks}` of ranks, only "
        f"{', '.join(others)}; choose another --protocol."
    )


def _are_ranks(column: pl.Series) -> bool:
    least: Any = column.min()
    return column.dtype.is_integer() and not column.has_nulls() and least >= 1


def require_comparable(runs: Sequence[RunRanks]) -> None:
    """Refuses runs that rank different users' targets, or among different items.

    Raises:
        InputError: names two runs and how they differ.
    """
    first = runs[0]
    for run in runs[1:]:
        reason = _obstacle(first, run)
        if reason:
            raise InputError(
                f"{first.path} and {run.path} cannot be compared: {reason}."
            )


def _obstacle(one: RunRanks, two: RunRanks) -> str | None:
    if one.fingerprint != two.fingerprint:
        return (
            f"their data differ, `{one.dataset}` {one.fingerprint} and "
            f"`{two.dataset}` {two.fingerprint}"
        )
    if one.protocol != two.protocol:
        return (
            f"their protocols are {one.protocol} and {two.protocol}; choose one with "
            "--protocol"
        )
    lengths = one.history_length, two.history_length
    if one.protocol == "window" and lengths[0] != lengths[1]:
        return (
            f"under the protocol window models that read the newest {lengths[0]} and "
            f"{lengths[1]} items exclude others"
        )
    for name in ("user", "target"):
        both = [run.columns[name] for run in (one, two) if name in run.columns]
        if len(both) == 2 and not both[0].equals(both[1]):
            return f"the {name}s whose ranks they hold differ"
    excluded = [run.is_excluded for run in (one, two)]
    if (excluded[0] != excluded[1]).any():
        counts = " and ".join(f"{of_run.sum():,}" for of_run in excluded)
        return f"they exclude the targets of different users, {counts}"
    return None


def seed_groups(runs: Sequence[RunRanks]) -> dict[str, list[RunRanks]]:
    """Groups runs that differ only in their seed.

    Two runs with the same seed form two groups: the code or the machine may differ. So
    do two sums of runs, since their settings are those of their first run.

    Returns:
        The runs of each group by its name: the name of its first directory, without the
        seed; the whole path if two groups would have the same name.
    """
    groups: list[list[RunRanks]] = []
    for run in runs:
        fitting = (group for group in groups if _is_another_seed(group, run))
        group = next(fitting, None)
        if group is None:
            groups.append([run])
        else:
            group.append(run)
    short = [_SEED_IN_NAME.sub("", group[0].path.resolve().name) for group in groups]
    return {
        name if name and short.count(name) == 1 else str(group[0].path): group
        for name, group in zip(short, groups, strict=True)
    }


def _is_another_seed(group: Sequence[RunRanks], run: RunRanks) -> bool:
    return (
        run.model == group[0].model
        and SUM not in run.model
        and _decisive(run) == _decisive(group[0])
        and run.settings.get("seed") not in [of.settings.get("seed") for of in group]
    )


def _decisive(run: RunRanks) -> dict[str, Any]:
    """Returns the settings that decide what is trained, apart from the seed."""
    settings = {**to_flat(from_flat({})), **run.settings}
    return {k: v for k, v in settings.items() if k not in _MAY_DIFFER}

"""The results of a comparison of runs, as rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from emkd_tf.evaluation.comparison import Difference, Estimate, differences, estimate
from emkd_tf.evaluation.metrics import METRICS, user_values
from emkd_tf.evaluation.run_ranks import RunRanks
from emkd_tf.evaluation.user_parts import (
    Parts,
    by_history_length,
    by_popularity,
    by_repetition,
)

Groups = Mapping[str, Sequence[RunRanks]]


@dataclasses.dataclass(frozen=True)
class Row:
    """A metric of one run, or of a group of seeds, for all users or a part of them.

    Attributes:
        run: name of the run or the group.
        seeds: how many runs it is the mean of.
        metric: one of METRICS.
        parted_by, part: how users were divided, and which part this is; "" for all.
        users: how many are in the part.
        estimate: of the metric.
        difference: to the reference, for the chosen metric over all users.
    """

    run: str
    seeds: int
    metric: str
    parted_by: str
    part: str
    users: int
    estimate: Estimate
    difference: Difference | None = None


def compare(
    groups: Groups, metric: str, baseline: str | None = None
) -> tuple[str, list[Row]]:
    """Compares groups of runs.

    Args:
        groups: runs by the name of their group, all comparable.
        metric: the metric of differences and parts, one of METRICS.
        baseline: name of the group to compare with; None takes the best.

    Returns:
        The reference group; and a row for each group and metric, then for each part of
        the users and group.
    """
    values = {
        name: np.stack([user_values(run.ranks, metric) for run in runs])
        for name, runs in groups.items()
    }
    reference, found = differences(values, baseline)
    num_users = values[reference].shape[1]
    rows = []
    for name, runs in groups.items():
        for each in METRICS:
            of_each = np.stack([user_values(run.ranks, each) for run in runs])
            difference = found.get(name) if each == metric else None
            of_all = estimate(of_each)
            rows.append(
                Row(name, len(runs), each, "", "", num_users, of_all, difference)
            )
    for parted_by, parts in user_parts(groups).items():
        for part, is_part in parts.items():
            for name, of_group in values.items():
                own = of_group[:, is_part]
                size, of_part = own.shape[1], estimate(own)
                rows.append(Row(name, len(own), metric, parted_by, part, size, of_part))
    return reference, rows


def user_parts(groups: Groups) -> dict[str, Parts]:
    """Divides users into parts in every way that the runs' columns allow.

    Comparable runs have the same users and targets, so the first run with a column
    provides it.
    """
    kinds = {
        "history length": ("history_length", by_history_length),
        "popularity of the target": ("target_count", by_popularity),
        "target": ("is_repeat", by_repetition),
    }
    columns = [run.columns for runs in groups.values() for run in runs]
    found = {}
    for kind, (name, parted) in kinds.items():
        known = next((of[name] for of in columns if name in of.columns), None)
        if known is not None:
            found[kind] = parted(known.to_numpy())
    return found


def to_frame(rows: Sequence[Row], **context: str) -> pl.DataFrame:
    """Returns the rows with every number unrounded in a column of its own, after the
    columns of the context, which is the same for all rows."""
    flat = [{**context, **_flat(row)} for row in rows]
    return pl.DataFrame(flat, infer_schema_length=None)


def _flat(row: Row) -> dict[str, str | float | None]:
    difference = row.difference
    return {
        **{key: getattr(row, key) for key in ("run", "seeds", "metric", "users")},
        "parted_by": row.parted_by or None,
        "part": row.part or None,
        **bounds("value", row.estimate, "value_"),
        **bounds("difference", difference, "difference_"),
        "p_users": difference and difference.p_users,
        "p_seeds": difference and difference.p_seeds,
    }


def bounds(name: str, of: Estimate | None, prefix: str = "") -> dict[str, float | None]:
    """Returns an estimate as columns; all are None without one.

    Args:
        name: column of the mean.
        of: the estimate.
        prefix: of the columns of its intervals.
    """
    users, seeds = (of.over_users, of.over_seeds) if of else (None, None)
    return {
        name: of.mean if of else None,
        f"{prefix}users_low": users and users.low,
        f"{prefix}users_high": users and users.high,
        f"{prefix}seeds_low": seeds and seeds.low,
        f"{prefix}seeds_high": seeds and seeds.high,
    }

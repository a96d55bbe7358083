"""Compares models by what each user contributes to a metric, over users and seeds.

Intervals over users say how far the figures of these trained models would move with
other users; intervals over seeds, how far with another training run. A method is shown
to be better when both say so.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping

import numpy as np

from emkd_tf.evaluation.statistics import (
    Interval,
    bootstrap_interval,
    holm,
    paired_p,
    seeds_difference,
    seeds_interval,
)


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A metric of a model, or the difference of two models' metrics.

    Attributes:
        mean: over users and seeds.
        over_users: given the trained models.
        over_seeds: given the users; None for a single seed.
    """

    mean: float
    over_users: Interval
    over_seeds: Interval | None


@dataclasses.dataclass(frozen=True)
class Difference(Estimate):
    """How much better a model is than another.

    Attributes:
        p_users: p-value over users, corrected for multiple comparisons.
        p_seeds: the same over seeds; None if either model has a single seed or neither
            varies over seeds.
    """

    p_users: float
    p_seeds: float | None


def estimate(values: np.ndarray) -> Estimate:
    """Returns a model's metric with its intervals.

    Args:
        values: [seeds, users] float, what each user contributes.
    """
    by_seed = values.mean(axis=1)
    return Estimate(
        float(by_seed.mean()),
        bootstrap_interval(values.mean(axis=0)),
        seeds_interval(by_seed),
    )


def differences(
    values: Mapping[str, np.ndarray], baseline: str | None = None
) -> tuple[str, dict[str, Difference]]:
    """Compares models with one of them.

    Args:
        values: [seeds, users] float by model; the number of seeds may differ.
        baseline: the model to compare with; None takes the best. The best is known only
            after looking, so the p-values are then corrected for all pairs of models.

    Returns:
        The reference model, and the others' differences to it.
    """
    reference = baseline or max(values, key=lambda name: values[name].mean())
    others = [name for name in values if name != reference]
    pairs = [(name, reference) for name in others]
    counted = pairs if baseline else [*pairs, *itertools.combinations(others, 2)]
    of_users = {name: of_model.mean(axis=0) for name, of_model in values.items()}
    of_seeds = {name: of_model.mean(axis=1) for name, of_model in values.items()}
    p_users = _corrected(
        {(one, two): paired_p(of_users[one] - of_users[two]) for one, two in counted}
    )
    over_seeds = {
        (one, two): seeds_difference(of_seeds[one], of_seeds[two])
        for one, two in counted
    }
    p_seeds = _corrected({pair: p for pair, (_, p) in over_seeds.items()})
    found = {}
    for pair in pairs:
        by_user = of_users[pair[0]] - of_users[reference]
        found[pair[0]] = Difference(
            float(by_user.mean()),
            bootstrap_interval(by_user),
            over_seeds[pair][0],
            p_users[pair],
            p_seeds.get(pair),
        )
    return reference, found


def _corrected(
    p_values: dict[tuple[str, str], float | None],
) -> dict[tuple[str, str], float]:
    """Corrects the p-values that are known."""
    known = {pair: p for pair, p in p_values.items() if p is not None}
    return dict(zip(known, holm(list(known.values())).tolist(), strict=True))

"""Intervals and tests of means, over users and over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
_RESAMPLES = 2_000
_STEP = 1e-3  # users' values that are closer are drawn as one


class Interval(NamedTuple):
    """Bounds that contain the true value with probability 95 %."""

    low: float
    high: float


def bootstrap_interval(values: np.ndarray, seed: int = 0) -> Interval:
    """Estimates the interval of a mean over users by resampling as many users.

    Only how often each value is drawn matters, not which users are: the counts are
    multinomial, so that a million users cost no more than a thousand.

    Args:
        values: [users] float, at least one.
        seed: of the draws; equal seeds give equal intervals.

    Source: Efron 1979, percentile method. Departure: values within .001 of one another
        are drawn as their mean, which changes a bound by less than its noise.
    """
    groups = np.rint((values - values.min()) / _STEP).astype(np.int64)
    counts = np.bincount(groups)
    is_used = counts > 0
    counts = counts[is_used]
    means = np.bincount(groups, values)[is_used] / counts
    num_users = len(values)
    draws = np.random.default_rng(seed).multinomial(
        num_users, counts / num_users, size=_RESAMPLES
    )  # [resamples, groups]
    tail = 50.0 * (1.0 - CONFIDENCE)
    bounds = np.percentile(draws @ means / num_users, [tail, 100.0 - tail])
    return Interval(*bounds.tolist())


def paired_p(differences: np.ndarray) -> float:
    """Tests whether the mean of the users' differences is zero, by a paired t-test.

    It tests what the tables show, the mean. Wilcoxon's test does not: it drops the
    users with equal values, which are most users, and weighs the others by rank. A
    permutation test gives the same answer for hundreds of users but cannot resolve
    small p-values, whose size a correction for multiple comparisons needs.

    Args:
        differences: [users] float.

    Returns:
        The two-sided p-value; 1 if there is no difference.

    Source: Smucker, Allan and Carterette 2007; Urbano, Lima and Hanjalic 2019.
    """
    if np.ptp(differences) == 0.0:  # no spread for t: permute the signs instead
        return 2.0 ** (1 - len(differences)) if differences[0] else 1.0
    return float(stats.ttest_1samp(differences, 0.0).pvalue)


def seeds_interval(means: np.ndarray) -> Interval | None:
    """Returns the t interval of the mean over seeds.

    Args:
        means: [seeds] float, a model's metric by seed.

    Returns:
        None for a single seed.
    """
    if len(means) == 1:
        return None
    center, error = means.mean(), stats.sem(means)
    width = stats.t.ppf((1.0 + CONFIDENCE) / 2.0, len(means) - 1) * error
    return Interval(float(center - width), float(center + width))


def seeds_difference(
    ours: np.ndarray, others: np.ndarray
) -> tuple[Interval | None, float | None]:
    """Compares two models over seeds by Welch's t-test: seeds of two models are not
    paired, and their spreads differ.

    Args:
        ours, others: [seeds] float, each model's metric by seed.

    Returns:
        Interval and p-value of the difference; None and None if either model has a
        single seed or neither has any spread.
    """
    if min(len(ours), len(others)) == 1 or np.ptp(ours) == np.ptp(others) == 0.0:
        return None, None
    test = stats.ttest_ind(ours, others, equal_var=False)
    low, high = test.confidence_interval(CONFIDENCE)
    return Interval(float(low), float(high)), float(test.pvalue)


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Corrects p-values for multiple comparisons, so that the chance of even one false
    claim stays below the significance level.

    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]

    Source: Holm 1979.
    """
    values = np.asarray(p_values, np.float64)
    order = np.argsort(values)
    factors = len(values) - np.arange(len(values))
    corrected = np.empty_like(values)
    corrected[order] = np.maximum.accumulate(factors * values[order])
    return np.minimum(corrected, 1.0)

"""Intervals and tests against closed forms, brute force and scipy."""

import itertools

import numpy as np
import pytest
from scipy import stats

from emkd_tf.evaluation.statistics import (
    bootstrap_interval,
    holm,
    paired_p,
    seeds_difference,
    seeds_interval,
)

HITS = (np.arange(400) < 60).astype(float)


def test_the_bootstrap_of_hits_is_the_binomial_distribution():
    """Its quantiles are known without drawing."""
    exact = stats.binom.ppf([0.025, 0.975], 400, 0.15) / 400
    np.testing.assert_allclose(bootstrap_interval(HITS), exact, atol=1.5 / 400)


def test_drawing_counts_equals_drawing_users():
    """One by one, as the bootstrap is defined, on values as of NDCG and MRR."""
    rng = np.random.default_rng(3)
    for values in (
        np.where(rng.random(300) < 0.3, 1 / np.log2(rng.integers(2, 12, 300)), 0.0),
        1.0 / rng.integers(1, 5000, 300),
        rng.normal(size=300),
    ):
        drawn = values[rng.integers(0, 300, (20_000, 300))].mean(axis=1)
        expected = np.percentile(drawn, [2.5, 97.5])
        noise = 0.1 * np.ptp(expected)
        np.testing.assert_allclose(bootstrap_interval(values), expected, atol=noise)


def test_nineteen_of_twenty_intervals_hold_the_true_mean():
    rng = np.random.default_rng(0)
    truth = 0.2
    covered = 0
    for trial in range(500):
        low, high = bootstrap_interval((rng.random(500) < truth).astype(float), trial)
        covered += low <= truth <= high
    # 475 expected; a standard deviation is 5.
    assert 455 <= covered <= 490


def test_equal_seeds_give_equal_intervals():
    values = np.random.default_rng(0).random(400)
    assert bootstrap_interval(values, 1) == bootstrap_interval(values, 1)
    assert bootstrap_interval(values, 1) != bootstrap_interval(values, 2)


def test_values_without_spread_have_an_interval_of_no_width():
    assert bootstrap_interval(np.full(7, 0.25)) == (0.25, 0.25)


def test_paired_p_by_hand():
    # mean 1, standard deviation 1, so t = sqrt(3) with 2 degrees of freedom, whose
    # distribution is 1/2 + t / (2 sqrt(2 + t^2)).
    expected = 2 * (0.5 - np.sqrt(3) / (2 * np.sqrt(5)))
    assert paired_p(np.array([0.0, 1.0, 2.0])) == pytest.approx(expected)


def test_paired_p_agrees_with_a_permutation_of_the_signs():
    rng = np.random.default_rng(5)
    differences = rng.choice([-1.0, 0.0, 0.0, 0.0, 1.0, 0.5], 500)
    signs = rng.choice([-1.0, 1.0], (20_000, 500))
    by_chance = np.abs(signs @ differences) >= abs(differences.sum()) - 1e-9
    assert paired_p(differences) == pytest.approx(by_chance.mean(), abs=0.015)


def test_paired_p_without_spread_is_the_permutation_itself():
    assert paired_p(np.zeros(5)) == 1.0
    assert paired_p(np.array([0.3])) == 1.0
    signs = np.array(list(itertools.product([-1, 1], repeat=5)))
    by_chance = np.abs(signs.sum(axis=1)) >= 5
    assert paired_p(np.full(5, 0.3)) == by_chance.mean()


def test_the_interval_over_seeds_by_hand():
    # mean 2, standard error 1 / sqrt(3), and t of 2 degrees of freedom is 4.302653.
    low, high = seeds_interval(np.array([1.0, 2.0, 3.0]))
    assert (low, high) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))
    assert seeds_interval(np.array([1.0])) is None


def test_seeds_of_two_models_by_hand():
    """Welch: his degrees of freedom and standard error, written out."""
    ours, others = np.array([0.30, 0.34, 0.32]), np.array([0.20, 0.30, 0.25, 0.22])
    parts = [x.var(ddof=1) / len(x) for x in (ours, others)]
    error = np.sqrt(sum(parts))
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / 2 + parts[1] ** 2 / 3)
    difference = ours.mean() - others.mean()
    interval, p = seeds_difference(ours, others)
    assert p == pytest.approx(2 * stats.t.sf(difference / error, freedom))
    width = stats.t.ppf(0.975, freedom) * error
    assert interval == pytest.approx((difference - width, difference + width))


@pytest.mark.parametrize("others", [[0.3], [0.3, 0.3]])
def test_seeds_that_say_nothing(others):
    ours = np.array([0.4, 0.4])
    assert seeds_difference(ours, np.array(others)) == (None, None)


def test_holm_by_hand():
    corrected = holm([0.01, 0.04, 0.03, 0.005])
    # ordered .005 x 4, .01 x 3, .03 x 2, .04 x 1, which may not fall below .06
    np.testing.assert_allclose(corrected, [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.6, 0.7]), [1.0, 1.0])
    assert len(holm([])) == 0


def test_holm_rarely_claims_anything_where_nothing_is():
    p_values = np.random.default_rng(1).random((2000, 10))
    claims = np.mean([holm(of_trial).min() < 0.05 for of_trial in p_values])
    assert claims < 0.07

"""Models compared by what each user adds to a metric."""

import numpy as np
import pytest
from scipy import stats

from emkd_tf.evaluation.comparison import differences, estimate


def test_an_estimate_of_several_seeds():
    values = np.array([[1.0, 0.0, 0.0, 1.0], [1.0, 0.0, 0.0, 0.0]])
    found = estimate(values)
    assert found.mean == 0.375
    low, high = stats.t.interval(0.95, 1, 0.375, stats.sem([0.5, 0.25]))
    assert found.over_seeds == pytest.approx((low, high))
    assert 0.0 <= found.over_users.low < 0.375 < found.over_users.high <= 1.0


@pytest.fixture
def models():
    """Three models of 2 and 3 seeds; `b` is the best."""
    rng = np.random.default_rng(4)
    return {
        name: (rng.random((seeds, 200)) < rate).astype(float)
        for name, seeds, rate in (("a", 2, 0.3), ("b", 3, 0.45), ("c", 2, 0.35))
    }


def p_of(models, one, two):
    users = [models[name].mean(axis=0) for name in (one, two)]
    seeds = [models[name].mean(axis=1) for name in (one, two)]
    return (
        stats.ttest_rel(*users).pvalue,
        stats.ttest_ind(*seeds, equal_var=False).pvalue,
    )


def holm_of(first, *others):
    """The corrected first p-value, by the definition."""
    ordered = sorted([first, *others])
    corrected = [p * (len(ordered) - place) for place, p in enumerate(ordered)]
    return min(1.0, max(corrected[: ordered.index(first) + 1]))


def test_beside_a_chosen_model_only_its_own_comparisons_count(models):
    reference, found = differences(models, "a")
    assert reference == "a"
    assert list(found) == ["b", "c"]
    users, seeds = zip(*(p_of(models, name, "a") for name in "bc"), strict=True)
    assert found["b"].mean == pytest.approx(models["b"].mean() - models["a"].mean())
    assert found["b"].over_users.low > 0
    for at, name in enumerate("bc"):
        assert found[name].p_users == pytest.approx(holm_of(users[at], users[1 - at]))
        assert found[name].p_seeds == pytest.approx(holm_of(seeds[at], seeds[1 - at]))


def test_beside_the_best_all_pairs_count(models):
    reference, found = differences(models)
    assert reference == "b"
    assert list(found) == ["a", "c"]
    p_users = [p_of(models, *pair)[0] for pair in ("ab", "cb", "ac")]
    assert found["a"].p_users == pytest.approx(holm_of(*p_users))
    assert found["a"].mean < 0
    assert found["a"].over_users.high < 0


def test_a_single_seed_says_nothing_over_seeds(models):
    models["a"] = models["a"][:1]
    found = differences(models)[1]
    assert found["a"].over_seeds is None
    assert found["a"].p_seeds is None
    assert found["c"].p_seeds == pytest.approx(p_of(models, "c", "b")[1])


def test_one_model_alone():
    assert differences({"a": np.ones((1, 3))}) == ("a", {})

"""The distribution of the candidates, against numpy, and their replay."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.data.examples.candidates import Candidates

COUNTS = np.array([0, 900, 1, 30, 30, 7, 250, 0, 3, 12])


def draws(candidates, steps):
    return [candidates.draw(tf.constant([5, step], tf.int64)) for step in range(steps)]


def test_items_come_as_often_as_their_expectation_says():
    steps, num_sampled = 4000, 4
    found = draws(Candidates(COUNTS, num_sampled), steps)
    items = np.array([d["candidates"] for d in found])
    assert items.shape == (steps, num_sampled)
    assert items.dtype == np.int32
    share = (COUNTS + 1.0) ** 0.75
    expected = num_sampled * share / share.sum()
    means = np.bincount(items.ravel(), minlength=11)[1:] / steps
    # Six standard errors of a mean whose variance is at most that of a coin.
    np.testing.assert_allclose(means, expected, atol=6 * 0.5 / steps**0.5)
    logs = np.concatenate([d["log_expected"] for d in found])
    np.testing.assert_allclose(logs, np.log(expected)[items.ravel() - 1], rtol=1e-6)


def test_an_item_is_never_further_than_one_draw_from_its_expectation():
    num_sampled = 50
    share = (COUNTS + 1.0) ** 0.75
    expected = num_sampled * share / share.sum()
    for draw in draws(Candidates(COUNTS, num_sampled), 50):
        times = np.bincount(draw["candidates"], minlength=11)[1:]
        # A piece of the distribution covers whole parts and touches two more.
        assert np.abs(times - expected).max() < 2


def test_as_many_draws_as_equal_items_give_each_item_once():
    draw = draws(Candidates(np.full(777, 3), 777), 1)[0]
    assert draw["candidates"].numpy().tolist() == list(range(1, 778))
    np.testing.assert_allclose(draw["log_expected"], 0.0, atol=1e-6)


def test_seeds_decide():
    candidates = Candidates(COUNTS, 64)
    first, again, other = (
        candidates.draw(tf.constant(seed, tf.int64))["candidates"].numpy().tolist()
        for seed in ([1, 2], [1, 2], [1, 3])
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("num_items", [1_000_003])
def test_rare_items_of_a_large_catalogue_can_be_drawn(num_items):
    """Popular ones first: in float32 the ends of the rare ones would be equal."""
    counts = np.zeros(num_items, np.int64)
    counts[:1000] = 10**7
    found = draws(Candidates(counts, 4096), 40)
    items = np.concatenate([d["candidates"] for d in found])
    assert items.min() >= 1
    assert items.max() <= num_items
    rare = items[items > 1000]
    share = (num_items - 1000) / ((num_items - 1000) + 1000 * (10**7 + 1) ** 0.75)
    assert len(rare) == pytest.approx(40 * 4096 * share, rel=0.05)
    quarters = np.histogram(rare, bins=4, range=(1001, num_items + 1))[0]
    np.testing.assert_allclose(quarters, len(rare) / 4, rtol=0.1)
    assert len(np.unique(rare)) > 0.9 * len(rare)

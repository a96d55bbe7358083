"""Dropout: rate, scale, independence, and that its seed decides everything."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.kernels.dropout import Dropout, derived_seed, drop


def dropped(seed, shape=(300, 400), rate=0.3):
    return drop(tf.ones(shape), tf.constant(seed, tf.int32), rate).numpy()


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.9])
def test_drops_at_its_rate_and_keeps_the_mean(rate):
    values = dropped([1, -2], rate=rate)
    error = np.sqrt(rate * (1 - rate) / values.size)
    assert abs((values == 0).mean() - rate) < 4 * error
    np.testing.assert_allclose(values[values > 0], 1 / (1 - rate), rtol=1e-6)


def test_places_and_seeds_are_independent():
    """No correlation between rows, columns and calls beyond what chance gives."""
    generators = [Dropout(0.3, tf.constant(seed)) for seed in ([0, 0], [0, 1])]
    seeds = [tuple(g.next_seed().numpy()) for g in generators for _ in range(4)]
    masks = {seed: (dropped(seed) == 0) - 0.3 for seed in seeds}
    size = 300 * 400
    bound = 4.5 * 0.3 * 0.7 / np.sqrt(size)
    for one, two in itertools.combinations(masks.values(), 2):
        assert abs((one * two).mean()) < bound
    for mask in masks.values():
        flat = mask.ravel()
        for shift in (1, 2, 3, 8, 64, 256, 400, 1024, 65536):
            assert abs((flat * np.roll(flat, shift)).mean()) < bound, shift
        counts = [(mask == 0.7).sum(axis) for axis in (0, 1)]
        for count, others in zip(counts, (300, 400), strict=True):
            spread = count.var() / (others * 0.3 * 0.7)  # 1 for independent places
            assert abs(spread - 1) < 5 * np.sqrt(2 / len(count))


def test_a_generator_replays_and_its_calls_differ():
    first, second = (Dropout(0.5, tf.constant([3, 4])) for _ in range(2))
    seeds = [first.next_seed().numpy().tolist() for _ in range(3)]
    assert seeds == [second.next_seed().numpy().tolist() for _ in range(3)]
    assert len({tuple(seed) for seed in seeds}) == 3
    other = Dropout(0.5, tf.constant([3, 5]))
    assert other.next_seed().numpy().tolist() != seeds[0]
    np.testing.assert_array_equal(dropped([3, 4]), dropped([3, 4]))


def test_derived_seeds_differ_and_no_seed_has_none():
    seeds = [derived_seed(tf.constant([3, 4]), number).numpy() for number in (0, 1, 0)]
    assert (seeds[0] != seeds[1]).any()
    np.testing.assert_array_equal(seeds[0], seeds[2])
    assert derived_seed(None, 1) is None


def test_drops_nothing_without_a_seed():
    dropout = Dropout(0.5, None)
    assert dropout.rate == 0.0
    values = drop(tf.ones([64]), dropout.next_seed(), dropout.rate)
    np.testing.assert_array_equal(values, 1)


def test_another_rate_has_seeds_of_its_own():
    one, other = (Dropout(0.3, tf.constant([1, 2])) for _ in "ab")
    inner = one.at_rate(0.6)
    assert inner.rate == 0.6
    seeds = {tuple(d.next_seed().numpy()) for d in (inner, one, other)}
    assert len(seeds) == 3
    assert Dropout(0.3, None).at_rate(0.6).rate == 0.0

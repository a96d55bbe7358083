"""Learning rates by step, in the optimizers and over a training that continues."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.training.optimizers import make_optimizer
from emkd_tf.training.schedules import Schedule, current_rate, learning_rate


def by_hand(kind, step, peak=0.1, warmup=4, steps=20):
    rise = min(1.0, (step + 1) / warmup) if warmup else 1.0
    share = min(1.0, max(0.0, (step - warmup) / (steps - warmup)))
    falls = {
        "constant": 1,
        "linear": 1 - share,
        "cosine": np.cos(np.pi * share / 2) ** 2,
    }
    return peak * rise * falls[kind]


@pytest.mark.parametrize("kind", ["constant", "linear", "cosine"])
@pytest.mark.parametrize("warmup", [0, 4])
def test_rates_are_those_of_the_formula(kind, warmup):
    schedule = Schedule(0.1, kind, warmup, 20)
    found = [float(schedule(step)) for step in range(25)]
    expected = [by_hand(kind, step, warmup=warmup) for step in range(25)]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-8)


def test_it_ends_at_zero_and_begins_above_it():
    schedule = Schedule(0.1, "linear", 3, 10)
    assert float(schedule(0)) > 0
    assert float(schedule(9)) > 0
    assert float(schedule(10)) == 0


def test_a_constant_rate_is_a_plain_number():
    assert learning_rate(0.1, "constant", 0, 20) == 0.1
    assert isinstance(learning_rate(0.1, "constant", 5, 20), Schedule)


def test_a_schedule_survives_its_config():
    schedule = Schedule(0.1, "cosine", 3, 10)
    again = Schedule.from_config(schedule.get_config())
    assert float(again(5)) == float(schedule(5))


@pytest.mark.parametrize("name", ["adam", "lazy_adam", "SGD", "legacy"])
def test_optimizers_follow_the_schedule(name):
    """With SGD the change of a weight is the rate; the others report it."""
    rate = learning_rate(0.1, "linear", 2, 6)
    if name == "legacy":
        optimizer = tf.keras.optimizers.legacy.SGD(rate)
    else:
        optimizer = make_optimizer(name, rate)
    weight = tf.Variable(0.0)
    for step in range(6):
        expected = by_hand("linear", step, warmup=2, steps=6)
        before = float(weight)
        optimizer.apply_gradients([(tf.constant(1.0), weight)])
        np.testing.assert_allclose(current_rate(optimizer), expected, rtol=1e-5)
        if name in ("SGD", "legacy"):
            np.testing.assert_allclose(before - float(weight), expected, rtol=1e-5)
        else:
            assert 0 < before - float(weight) <= expected * 1.01


def test_a_plain_rate_is_reported_as_it_is():
    assert current_rate(make_optimizer("adam", 0.25)) == 0.25

"""The estimate of an epoch, against counting and against its own parts."""

import dataclasses

import numpy as np
import pytest

from emkd_tf.config import from_flat
from emkd_tf.data.training_cost import Speed, training_cost

SPEED = Speed(product=1e11, copy=1e10)
LENGTHS = np.array([3, 40, 15, 1])


def cost(speed=SPEED, lengths=LENGTHS, num_items=1000, **settings):
    return training_cost(from_flat(settings), lengths, num_items, speed)


def test_windows_and_steps_of_an_epoch():
    found = cost(max_length=15, window_step=10, batch_size=4)
    assert found.windows == 1 + (1 + 3) + 1 + 1  # 40: ends at 40, 30, 20 and 15
    assert found.steps == 2


def test_next_items_are_learned_from_one_window_a_user():
    assert cost(model="sasrec", window_step=10).windows == 3  # one has no next item
    prefixes = cost(model="sasrec", rows="prefix")
    assert prefixes.windows == 2 + 39 + 14
    whole = cost(model="sasrec", rows="whole", max_length=14)
    assert whole.windows == 1 + 3 + 1


def test_a_row_for_each_next_item_scores_it_alone():
    """Whether the setting says so or the model is fixed to it."""
    settings = {"model": "sasrec", "num_blocks": 1, "max_length": 50, "batch_size": 4}
    fast = dataclasses.replace(SPEED, copy=np.inf)
    shift, prefix = (cost(fast, rows=r, **settings) for r in ("shift", "prefix"))
    d, networks, places = 256, 3, 4 * (LENGTHS.mean() - 1)
    scored = 3 * networks * places * 2 * 1000 * d / (0.9 * SPEED.product)
    gap = shift.seconds / shift.steps - prefix.seconds / prefix.steps
    assert gap == pytest.approx(scored)
    assert cost(model="duorec").windows == prefix.windows


def test_time_falls_with_the_speed_of_products_and_copies():
    base = cost().seconds
    products = base - cost(dataclasses.replace(SPEED, product=np.inf)).seconds
    copies = base - cost(dataclasses.replace(SPEED, copy=np.inf)).seconds
    assert products > 0
    assert copies > 0
    assert products + copies == pytest.approx(base)


def test_the_catalogue_counts_unless_the_loss_is_sampled():
    assert cost(num_items=100_000).seconds > 2 * cost().seconds
    small = cost(num_items=10_000, item_loss="sampled")
    large = cost(num_items=1_000_000, item_loss="sampled")
    assert large.seconds == small.seconds
    # Weights, gradient and two moments of two tables of 256 numbers in 3 networks.
    tables = 990_000 * 2 * 256 * 3 * 4 * 4 / 2**30
    assert large.memory_gib - small.memory_gib == pytest.approx(tables)


@pytest.mark.parametrize("settings", [{"model": "sasrec"}, {"task": "next_item"}])
def test_the_next_item_is_scored_at_every_place(settings):
    settings = {"batch_size": 4, "max_length": 50, "contrast_weight": 0.0, **settings}
    found = cost(dataclasses.replace(SPEED, copy=np.inf), **settings)
    d, blocks, networks = 256, 2, 3
    tokens = 4 * LENGTHS.mean()
    block = 24 * d * d + 4 * LENGTHS.mean() * d  # multiplications and additions
    forward = networks * tokens * (blocks * block + 2 * 1000 * d)
    assert found.seconds == pytest.approx(3 * forward / (0.9 * SPEED.product))


def test_this_machine_does_something():
    speed = Speed.measure()
    assert 1e8 < speed.product < 1e15
    assert 1e7 < speed.copy < 1e13

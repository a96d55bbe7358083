"""Caser: several targets of each place against numpy, no positions."""

import numpy as np
import pytest
import tensorflow as tf
from weights import randomized

from emkd_tf.config import from_flat
from emkd_tf.data.prepare import prepare
from emkd_tf.models.caser import Caser

ROWS = np.array([[0, 0, 3, 9, 4, 1, 7], [5, 6, 7, 8, 2, 1, 3], [0] * 7])


@pytest.fixture
def make(tiny_settings):
    def build(**changes):
        settings = {"model": "caser", "num_networks": 1, "distillation": False}
        settings |= {"dropout": 0.0, "window": 3, **changes}
        config = from_flat({**tiny_settings, **settings})
        model = Caser.create(config, prepare(config.data))
        return randomized(model, 0.3)

    return build


@pytest.mark.parametrize("static", [False, True])
@pytest.mark.parametrize("num_targets", [1, 3])
def test_a_place_learns_the_items_that_came_next(make, num_targets, static):
    model = make(num_targets=num_targets, item_loss="bce", jit_compile=static)
    rng = np.random.default_rng(1)
    inputs, labels = ROWS[:, :-1], np.where(ROWS[:, :-1] > 0, ROWS[:, 1:], 0)
    negatives = rng.integers(10, 30, size=(3, 6, 3))
    (tower,) = model.towers
    states = tower.states(tf.constant(inputs, tf.int32)).numpy().astype(float)
    table, bias = tower.item_table().numpy(), tower.item_bias.numpy()
    expected = 0.0
    for row, place in np.argwhere(inputs):
        for target in range(place, min(place + num_targets, 6)):
            label, wrong = labels[row, target], negatives[row, target]
            right = states[row, place] @ table[label] + bias[label]
            other = table[wrong] @ states[row, place] + bias[wrong]
            expected += np.log1p(np.exp(-right)) + np.log1p(np.exp(other)).mean()
    batch = {"item_ids": inputs, "labels": labels, "negatives": negatives}
    batch = {name: tf.constant(value, tf.int32) for name, value in batch.items()}
    found = tf.function(model.compute_losses, jit_compile=static)(batch)["total"]
    expected /= num_targets * model.expected_labels
    np.testing.assert_allclose(found, expected, rtol=1e-3)


@pytest.mark.parametrize("num_targets", [1, 2])
def test_with_prefixes_further_targets_are_learned_at_earlier_places(make, num_targets):
    model = make(num_targets=num_targets, rows="prefix")
    inputs = np.array([[0, 0, 3, 9, 4, 1]])
    labels = np.array([[0, 0, 0, 0, 0, 7]])
    (tower,) = model.towers
    states = tower.states(tf.constant(inputs, tf.int32)).numpy()[0].astype(float)
    logits = states @ tower.item_table().numpy().T + tower.item_bias.numpy()
    logs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    expected = -logs[-num_targets:, 7].mean() / model.expected_labels
    batch = {"item_ids": inputs, "labels": labels}
    batch = {name: tf.constant(value, tf.int32) for name, value in batch.items()}
    found = model.compute_losses(batch)["total"]
    np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_the_window_knows_the_order_by_itself(make):
    model = make()
    (tower,) = model.towers
    assert tower.embedding.positions is None
    scores = model.score_items(tf.constant([[3, 9, 4], [9, 3, 4]]))
    assert np.abs(scores[0] - scores[1]).max() > 1e-3
    longer = model.score_items(tf.constant([[7, 8, 3, 9, 4]]))
    np.testing.assert_allclose(longer[0], scores[0], rtol=1e-5, atol=1e-6)

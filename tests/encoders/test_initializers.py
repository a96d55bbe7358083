"""Initial weights."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.encoders.initializers import (
    EMBEDDINGS,
    INITIALIZERS,
    SCORING,
    start_uniform,
)

ROWS, COLUMNS = 200, 100


@pytest.mark.parametrize(
    ("name", "deviation"), [("normal", 0.02), ("xavier", (2 / (ROWS + COLUMNS)) ** 0.5)]
)
def test_seed_and_name_decide(name, deviation):
    start = INITIALIZERS[name]
    weights = start(1, "a")([ROWS, COLUMNS]).numpy()
    np.testing.assert_array_equal(weights, start(1, "a")([ROWS, COLUMNS]))
    assert (weights != start(2, "a")([ROWS, COLUMNS]).numpy()).any()
    assert (weights != start(1, "b")([ROWS, COLUMNS]).numpy()).any()
    assert abs(weights.std() / deviation - 1.0) < 4 / np.sqrt(2 * weights.size)


@pytest.mark.parametrize(
    ("starts", "inputs"), [(INITIALIZERS, ROWS), (SCORING, COLUMNS)]
)
def test_the_release_starts_as_linear_layers_of_pytorch(starts, inputs):
    weights = starts["release"](1, "a")([ROWS, COLUMNS]).numpy()
    bound = inputs**-0.5
    assert 0.999 * bound < np.abs(weights).max() <= bound
    assert abs(weights.std() / (bound / np.sqrt(3)) - 1.0) < 0.02


def test_the_release_starts_as_embeddings_of_pytorch():
    weights = EMBEDDINGS["release"](1, "a")([ROWS, COLUMNS]).numpy()
    assert abs(weights.std() - 1.0) < 4 / np.sqrt(2 * weights.size)
    assert abs(weights.mean()) < 4 / np.sqrt(weights.size)
    assert EMBEDDINGS["normal"] is SCORING["normal"] is INITIALIZERS["normal"]


def test_all_weights_can_start_uniform():
    weights = [tf.Variable(tf.ones([ROWS, COLUMNS])), tf.Variable(tf.ones([50]))]
    start_uniform(weights, 0.125, seed=2**32 - 1)
    first = weights[0].numpy()
    assert np.abs(first).max() < 0.125
    assert abs(first.std() / (0.125 / np.sqrt(3)) - 1.0) < 0.02
    assert (first.ravel()[:50] != weights[1].numpy()).any()
    start_uniform(weights, 0.125, seed=2**32 - 1)
    np.testing.assert_array_equal(weights[0], first)
    start_uniform(weights, 0.125, seed=1)
    assert (weights[0].numpy() != first).any()

"""Heads of attributes: their logits against numpy, and how they start."""

import numpy as np
import pytest
from small_models import make_towers

from emkd_tf.models.attribute_head import make_attribute_heads


def test_logits_are_one_product_and_a_bias():
    (head,) = make_attribute_heads(make_towers(1, "causal"), 7, seed=3)
    head.bias.assign(np.arange(7.0))
    states = np.random.default_rng(0).normal(size=(5, head.weight.shape[0]))
    expected = states @ head.weight.numpy() + np.arange(7.0)
    np.testing.assert_allclose(head(states.astype(np.float32)), expected, rtol=1e-5)


@pytest.mark.parametrize("initialization", ["normal", "release"])
def test_heads_start_as_the_rest_of_their_network_and_apart(initialization):
    towers = make_towers(2, "causal", hidden_units=64, initialization=initialization)
    first, second = (
        head.weight.numpy() for head in make_attribute_heads(towers, 500, seed=3)
    )
    assert np.abs(first - second).max() > 0.01
    # PyTorch's linear layers are uniform within 1 / sqrt(inputs), here 1 / 8.
    spread = {"normal": 0.02, "release": 0.125 / np.sqrt(3)}[initialization]
    assert abs(first.std() / spread - 1) < 0.02
    if initialization == "release":
        assert np.abs(first).max() <= 0.125

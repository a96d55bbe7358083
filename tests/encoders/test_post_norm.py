"""The post-norm encoder against numpy, one sequence at a time."""

from functools import partial

import numpy as np
import pytest
from encoder_contract import (
    IS_ITEM,
    TOKENS,
    D,
    check_contract,
    check_seeds,
    check_states,
    encode,
)
from numpy_layers import post_norm_block
from weights import randomized

from emkd_tf.encoders.post_norm import CausalReluEncoder, PostNormEncoder

HEADS = 2


def make(seed=3, **options):
    return PostNormEncoder(
        hidden_units=D, num_blocks=2, num_heads=HEADS, seed=seed, **options
    )


def numpy_states(encoder, x, is_causal):
    for block in encoder.blocks:
        x = post_norm_block(x, block, HEADS, is_causal)
    return x


@pytest.mark.parametrize("is_causal", [True, False])
def test_equals_numpy(is_causal):
    states_by_hand = partial(numpy_states, is_causal=is_causal)
    check_states(make(is_causal=is_causal), states_by_hand)


@pytest.mark.parametrize("is_causal", [True, False])
def test_keeps_the_contract(is_causal):
    check_contract(make(is_causal=is_causal), is_causal)


def test_the_relu_form_equals_numpy_and_keeps_the_contract():
    def make_relu():
        return CausalReluEncoder(hidden_units=D, num_blocks=2, num_heads=HEADS, seed=3)

    encoder = randomized(make_relu())
    assert encoder.blocks[0].expand.kernel.shape == (D, D)
    states = encode(encoder).numpy()
    for row, x, is_item in zip(states, TOKENS, IS_ITEM, strict=True):
        expected = x[is_item]
        for block in encoder.blocks:
            expected = post_norm_block(
                expected, block, HEADS, True, 1e-5, lambda x: np.maximum(x, 0.0)
            )
        np.testing.assert_allclose(row[is_item], expected, rtol=1e-3, atol=1e-4)
    check_contract(make_relu())


def test_starts_from_its_seed():
    check_seeds(make)

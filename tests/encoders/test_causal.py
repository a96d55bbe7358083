"""The causal encoder against numpy, one sequence at a time."""

from functools import partial

import numpy as np
import pytest
import tensorflow as tf
from encoder_contract import (
    TOKENS,
    D,
    check_contract,
    check_seeds,
    check_states,
    encode,
)
from numpy_layers import attention, dense, layer_norm
from weights import randomized

from emkd_tf.encoders.causal import CausalEncoder
from emkd_tf.kernels.fusion import fusion

HEADS = 2
FORMS = [
    {},
    {"norm": "pre"},
    {"output_projection": False},
    {"norm": "pre", "final_norm": False, "initialization": "xavier"},
]


def make(seed=3, num_blocks=2, **options):
    return CausalEncoder(
        hidden_units=D, num_blocks=num_blocks, num_heads=HEADS, seed=seed, **options
    )


def numpy_states(encoder, x, norm="query", output_projection=True, final_norm=True):
    for block in encoder.blocks:
        q = layer_norm(x, block.attention_norm)
        if norm == "query":
            mixed, x = attention(q, x, block.attention, HEADS, True), q
        else:
            mixed = attention(q, q, block.attention, HEADS, True)
        x = x + (dense(mixed, block.attention_output) if output_projection else mixed)
        y = layer_norm(x, block.feed_forward_norm)
        x = y if norm == "query" else x
        x = x + dense(np.maximum(dense(y, block.inner), 0.0), block.outer)
    return layer_norm(x, encoder.final_norm) if final_norm else x


@pytest.mark.parametrize("options", FORMS)
def test_equals_numpy(options):
    formula = {k: v for k, v in options.items() if k != "initialization"}
    check_states(make(**options), partial(numpy_states, **formula))


@pytest.mark.parametrize("options", FORMS)
def test_keeps_the_contract(options):
    check_contract(make(**options))


def test_starts_from_its_seed():
    check_seeds(make)


def test_dropout_needs_a_seed():
    encoder = randomized(make())
    plain = encode(encoder).numpy()
    np.testing.assert_array_equal(plain, encode(encoder, rate=0.5))
    dropped = encode(encoder, rate=0.5, seed=tf.constant([1, 2]))
    assert np.abs(plain - dropped).max() > 1e-2


def test_fused_states_and_gradients_are_the_plain_ones():
    encoder, found = randomized(make()), []
    for is_fused in (False, True):
        with fusion(is_fused), tf.GradientTape() as tape:
            states = encode(encoder, seed=tf.constant([3, 4]))
            value = tf.reduce_sum(states**2 * TOKENS)
        found.append([states, *tape.gradient(value, encoder.trainable_variables)])
    for plain, fused in zip(*found, strict=True):
        scale = np.abs(plain).max()
        np.testing.assert_allclose(plain / scale, fused / scale, atol=1e-4)


def test_bfloat16_stays_near_and_states_are_float32():
    states = [
        encode(randomized(make(precision=precision))).numpy()
        for precision in ("float32", "bfloat16")
    ]
    assert states[1].dtype == np.float32
    difference = np.abs(states[0] - states[1]).max()
    assert 1e-4 < difference < 0.1 * np.abs(states[0]).max()


def test_mirrored_weights_encode_as_plain_ones():
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        mirrored = randomized(make())
    for is_fused in (False, True):
        with fusion(is_fused):
            states = [
                encode(e, rate=0.3, seed=tf.constant([1, 2]))
                for e in (mirrored, randomized(make()))
            ]
        np.testing.assert_allclose(*states, rtol=1e-6)

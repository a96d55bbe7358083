"""The gated encoder against numpy, one sequence at a time."""

from encoder_contract import D, check_contract, check_seeds, check_states
from numpy_layers import attention, dense, layer_norm, sigmoid

from emkd_tf.encoders.ligr import LiGREncoder

HEADS = 2


def make(seed=3):
    return LiGREncoder(
        hidden_units=D, num_blocks=2, num_heads=HEADS, seed=seed, feed_forward_factor=3
    )


def numpy_states(encoder, h):
    for block in encoder.blocks:
        x = layer_norm(h, block.attention_norm)
        mixed = attention(x, x, block.attention, HEADS, True)
        gate = sigmoid(dense(h, block.attention_gate))
        h = h + gate * dense(mixed, block.attention_output)
        x = layer_norm(h, block.feed_forward_norm)
        a, b = dense(x, block.swish), dense(x, block.expand)
        gate = sigmoid(dense(h, block.feed_forward_gate))
        h = h + gate * dense(a * sigmoid(a) * b, block.contract)
    return h


def test_equals_numpy():
    check_states(make(), numpy_states, atol=1e-3)


def test_keeps_the_contract():
    check_contract(make())


def test_starts_from_its_seed():
    check_seeds(make)

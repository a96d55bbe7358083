"""The recurrent encoder against numpy and against Keras' GRU."""

import numpy as np
import tensorflow as tf
from encoder_contract import (
    IS_ITEM,
    TOKENS,
    D,
    check_contract,
    check_seeds,
    check_states,
    encode,
)
from numpy_layers import dense, sigmoid
from weights import randomized

from emkd_tf.encoders.gru import GRUEncoder

UNITS = 6


def make(seed=3):
    return GRUEncoder(hidden_units=D, recurrent_units=UNITS, seed=seed)


def numpy_states(encoder, tokens):
    h, states = np.zeros(UNITS), []
    for x in tokens:
        z, r, new = np.split(dense(x, encoder.inputs), 3)
        of_z, of_r, of_new = np.split(dense(h, encoder.recurrent), 3)
        z, r = sigmoid(z + of_z), sigmoid(r + of_r)
        h = z * h + (1.0 - z) * np.tanh(new + r * of_new)
        states.append(dense(h, encoder.outputs))
    return np.array(states)


def test_equals_numpy():
    check_states(make(), numpy_states)


def test_equals_keras():
    encoder = randomized(make())
    gru = tf.keras.layers.GRU(
        UNITS, use_bias=False, reset_after=True, return_sequences=True
    )
    gru(TOKENS)  # makes its weights
    gru.set_weights([encoder.inputs.kernel, encoder.recurrent.kernel])
    hidden = gru(TOKENS, mask=tf.constant(IS_ITEM))
    expected = dense(hidden.numpy(), encoder.outputs) * IS_ITEM[:, :, None]
    np.testing.assert_allclose(encode(encoder), expected, rtol=1e-3, atol=1e-4)


def test_keeps_the_contract():
    check_contract(make())


def test_starts_from_its_seed():
    check_seeds(make)

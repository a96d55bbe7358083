"""What every encoder must do, checked on one whose weights are large."""

import numpy as np
import tensorflow as tf
from weights import randomized

from emkd_tf.kernels.dropout import Dropout
from emkd_tf.kernels.packing import Packing

L, D = 7, 8
IS_ITEM = np.array(
    [[0, 0, 0, 1, 1, 1, 1], [1] * 7, [0] * 6 + [1], [0, 0, 1, 1, 1, 1, 1]], bool
)
TOKENS = np.random.default_rng(1).normal(size=(*IS_ITEM.shape, D)).astype(np.float32)
EMPTY = np.zeros([1, L], bool)


def encode(encoder, tokens=TOKENS, is_item=IS_ITEM, skip_padding=True, **options):
    """[B, L, d] and [B, L] to states [B, L, d], or [B, d] with `last_only`."""
    rate, seed = options.pop("rate", 0.0), options.pop("seed", None)
    packing = Packing(tf.convert_to_tensor(is_item), skip_padding=skip_padding)
    rows = packing.pack(tf.convert_to_tensor(tokens))
    states = encoder(rows, packing, Dropout(rate, seed), **options)
    return states if options.get("last_only") else packing.unpack(states)


def check_contract(encoder, is_causal=True):
    """Checks all that does not depend on the encoder's formula."""
    randomized(encoder)
    _check_padding(encoder)
    _check_static_shapes(encoder)
    _check_last_only(encoder)
    _check_gradients(encoder)
    _check_empty_histories(encoder)
    _check_dropout(encoder)
    _check_order(encoder, is_causal)
    _check_config(encoder)


def check_states(encoder, numpy_states, atol=1e-4):
    """Checks the states of every sequence alone.

    Args:
        numpy_states: the encoder and tokens [n, d] without padding to states [n, d].
    """
    states = encode(randomized(encoder)).numpy()
    for row, tokens, is_item in zip(states, TOKENS, IS_ITEM, strict=True):
        expected = numpy_states(encoder, tokens[is_item])
        np.testing.assert_allclose(row[is_item], expected, rtol=1e-3, atol=atol)


def _check_padding(encoder):
    states = encode(encoder).numpy()
    np.testing.assert_array_equal(states[~IS_ITEM], 0.0)
    wider = [
        np.pad(x, [(0, 0), (3, 0)] + [(0, 0)] * (x.ndim - 2)) for x in (TOKENS, IS_ITEM)
    ]
    wider[0][:, :3] = 5.0  # what stands at padding does not matter
    np.testing.assert_allclose(
        encode(encoder, *wider)[:, 3:], states, rtol=1e-4, atol=1e-5
    )


def _check_static_shapes(encoder):
    @tf.function(jit_compile=True, autograph=False)
    def compiled(tokens, is_item):
        with tf.GradientTape() as tape:
            tape.watch(tokens)
            states = encode(encoder, tokens, is_item, skip_padding=False)
            value = tf.reduce_sum(states**3)
        return states, tape.gradient(value, tokens)

    states, gradient = compiled(tf.constant(TOKENS), tf.constant(IS_ITEM))
    np.testing.assert_allclose(states, encode(encoder), rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(gradient.numpy()[~IS_ITEM], 0.0)


def _check_last_only(encoder):
    for skip_padding in (True, False):
        last = encode(encoder, skip_padding=skip_padding, last_only=True)
        np.testing.assert_allclose(last, encode(encoder)[:, -1], rtol=1e-4, atol=1e-5)


def _check_gradients(encoder):
    """Zero at spare rows, whatever comes from behind; the same for both packings."""
    found = []
    for skip_padding in (True, False):
        packing = Packing(tf.constant(IS_ITEM), skip_padding=skip_padding)
        rows = packing.pack(tf.constant(TOKENS))
        with tf.GradientTape() as tape:
            tape.watch(rows)
            states = encoder(rows, packing, Dropout(0.0, None))
            value = tf.reduce_sum(states**2 + states)
        variables = encoder.trainable_variables
        by_rows, *by_weights = tape.gradient(value, [rows, *variables])
        assert (np.abs(by_rows[packing.is_row[:, 0]]).max(axis=1) > 0).all()
        np.testing.assert_array_equal(by_rows[~packing.is_row[:, 0]], 0.0)
        found.append([by_rows[packing.is_row[:, 0]], *by_weights])
    for packed, plain in zip(*found, strict=True):
        packed, plain = (tf.convert_to_tensor(x).numpy() for x in (packed, plain))
        scale = np.abs(plain).max() + 1e-3
        np.testing.assert_allclose(packed / scale, plain / scale, atol=1e-4)


def _check_empty_histories(encoder):
    tokens = tf.constant(TOKENS[:1])
    for skip_padding in (True, False):
        with tf.GradientTape() as tape:
            tape.watch(tokens)
            packing = Packing(tf.constant(EMPTY), skip_padding=skip_padding)
            states = encoder(packing.pack(tokens), packing, Dropout(0.0, None))
            value = tf.reduce_sum(states)
        np.testing.assert_array_equal(states, 0.0)
        gradients = tape.gradient(value, [tokens, *encoder.trainable_variables])
        for gradient in gradients:
            assert np.isfinite(tf.convert_to_tensor(gradient)).all()
        np.testing.assert_array_equal(gradients[0], 0.0)


def _check_dropout(encoder):
    """An encoder may have no dropout, but what it drops depends on the seed alone."""
    one, same = (encode(encoder, rate=0.5, seed=tf.constant([1, 2])) for _ in "ab")
    np.testing.assert_array_equal(one, same)
    np.testing.assert_array_equal(one.numpy()[~IS_ITEM], 0.0)


def _check_order(encoder, is_causal):
    """Another item at place 4 changes its state, and those before unless causal."""
    changed = TOKENS.copy()
    changed[:, 4] = changed[:, 4] * -2.0 + 1.0
    before, after = encode(encoder).numpy(), encode(encoder, changed).numpy()
    assert np.abs(before[1, 4] - after[1, 4]).max() > 1e-4
    assert np.abs(before[1, 5] - after[1, 5]).max() > 1e-4
    if is_causal:
        np.testing.assert_allclose(before[:, :4], after[:, :4], rtol=1e-4, atol=1e-5)
    else:
        assert np.abs(before[1, 3] - after[1, 3]).max() > 1e-4


def _check_config(encoder):
    copy = type(encoder).from_config(encoder.get_config())
    shapes = [[w.shape for w in e.trainable_variables] for e in (encoder, copy)]
    assert shapes[0] == shapes[1]


def check_seeds(make):
    """Networks of different seeds start different, of equal seeds the same.

    Args:
        make: a seed to an encoder.
    """
    for one, same, other in zip(
        *(make(seed).trainable_variables for seed in (1, 1, 2)), strict=True
    ):
        np.testing.assert_array_equal(one, same)
        if len(one.shape) > 1:
            assert (one.numpy() != other.numpy()).any()

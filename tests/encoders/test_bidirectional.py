"""The transformer encoder against a numpy transformer, one sequence at a time."""

import numpy as np
import pytest
import tensorflow as tf
from small_models import make_tower
from weights import randomized

from emkd_tf.kernels.compute import Compute
from emkd_tf.kernels.fusion import fusion

V, L, D, HEADS = 20, 6, 8, 2


def make(dropout=0.0, seed=3, skip_padding=True, precision="float32"):
    """A tower, whose embedding gives the encoder its tokens."""
    return make_tower(
        num_items=V,
        max_length=L,
        hidden_units=D,
        num_blocks=2,
        num_heads=HEADS,
        dropout=dropout,
        seed=seed,
        use_item_bias=False,
        compute=Compute(precision=precision, static_shapes=not skip_padding),
    )


def layer_norm(x, layer):
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    normal = (x - mean) / np.sqrt(variance + 1e-6)
    return normal * layer.gamma.numpy() + layer.beta.numpy()


def dense(x, layer):
    return x @ layer.kernel.numpy() + layer.bias.numpy()


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def numpy_states(encoder, items):
    """States of a sequence without padding, items at the last positions."""
    embedding = encoder.embedding
    x = embedding.items.numpy()[items] + embedding.positions.numpy()[L - len(items) :]
    for block in encoder.encoder.blocks:
        projected = dense(layer_norm(x, block.attention_norm), block.query_key_value)
        mixed = []
        for head in range(HEADS):
            place = slice(head * D // HEADS, (head + 1) * D // HEADS)
            query, key, value = (p[:, place] for p in np.split(projected, 3, axis=1))
            logits = query @ key.T / np.sqrt(D // HEADS)
            weights = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
            mixed.append(weights @ value)
        x = x + dense(np.concatenate(mixed, axis=1), block.attention_output)
        inner = gelu(dense(layer_norm(x, block.feed_forward_norm), block.expand))
        x = x + dense(inner, block.contract)
    return x


ITEM_IDS = np.array([[0, 0, 4, 9, 21, 3], [1, 2, 3, 4, 5, 6], [0] * 5 + [7]], np.int32)


@pytest.mark.parametrize("skip_padding", [True, False])
def test_equals_numpy_and_padding_is_zero(skip_padding):
    encoder = randomized(make(skip_padding=skip_padding))
    states = encoder.states(tf.constant(ITEM_IDS)).numpy()
    for row, items in zip(states, ITEM_IDS, strict=True):
        is_item = items != 0
        expected = numpy_states(encoder, items[is_item])
        np.testing.assert_allclose(row[is_item], expected, rtol=1e-3, atol=1e-4)
        np.testing.assert_array_equal(row[~is_item], 0.0)


def test_both_ways_of_padding_give_the_same_gradients():
    gradients = []
    for skip_padding in (True, False):
        encoder = randomized(make(skip_padding=skip_padding))
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(encoder.states(tf.constant(ITEM_IDS)) ** 2)
        found = tape.gradient(value, encoder.trainable_variables)
        gradients.append([tf.convert_to_tensor(g).numpy() for g in found])
    for packed, plain in zip(*gradients, strict=True):
        np.testing.assert_allclose(packed, plain, rtol=1e-3, atol=1e-3)


def test_looks_both_ways():
    encoder = randomized(make())
    changed = ITEM_IDS.copy()
    changed[1, -1] = 8
    before, after = (
        encoder.states(tf.constant(ITEM_IDS)),
        encoder.states(tf.constant(changed)),
    )
    assert np.abs(before[1, 0] - after[1, 0]).max() > 1e-4
    np.testing.assert_allclose(before[0], after[0], atol=1e-5)


@pytest.mark.parametrize("skip_padding", [True, False])
def test_a_row_of_padding_alone_is_zero_and_finite(skip_padding):
    encoder = randomized(make(skip_padding=skip_padding))
    states = encoder.states(tf.zeros([2, L], tf.int32))
    np.testing.assert_array_equal(states, 0.0)


def test_dropout_needs_a_seed_and_replays_with_it():
    encoder = randomized(make(dropout=0.4))
    item_ids = tf.constant(ITEM_IDS)
    plain = encoder.states(item_ids)
    np.testing.assert_array_equal(plain, randomized(make()).states(item_ids))
    dropped = encoder.states(item_ids, dropout_seed=tf.constant([1, 2]))
    np.testing.assert_array_equal(
        dropped, encoder.states(item_ids, dropout_seed=tf.constant([1, 2]))
    )
    assert np.abs(plain - dropped).max() > 1e-3


def test_the_seed_decides_every_matrix():
    one, same, other = make(seed=1), make(seed=1), make(seed=2)
    for a, b, c in zip(one.weights, same.weights, other.weights, strict=True):
        np.testing.assert_array_equal(a, b)
        if len(a.shape) == 2:
            assert (a.numpy() != c.numpy()).any()


def test_two_blocks_start_different():
    first, second = make().encoder.blocks
    assert (first.expand.kernel.numpy() != second.expand.kernel.numpy()).any()


@pytest.mark.parametrize("is_fused", [False, True])
def test_training_puts_norms_into_the_weights_and_changes_no_gradient(is_fused):
    """Without dropout a seed changes only how the norms are computed."""
    found = []
    for seed, fuses in ((None, False), ([1, 2], is_fused)):
        encoder = randomized(make())
        with fusion(fuses), tf.GradientTape() as tape:
            states = encoder.states(tf.constant(ITEM_IDS), dropout_seed=seed)
            value = tf.reduce_sum(states**2)
        gradients = tape.gradient(value, encoder.trainable_variables)
        found.append([states, *map(tf.convert_to_tensor, gradients)])
    for plain, training in zip(*found, strict=True):
        np.testing.assert_allclose(plain, training, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("is_fused", [False, True])
def test_bfloat16_stays_near_and_states_are_float32(is_fused):
    states = []
    for precision in ("float32", "bfloat16"):
        encoder = randomized(make(precision=precision))
        with fusion(is_fused):
            states.append(encoder.states(tf.constant(ITEM_IDS), dropout_seed=[1, 2]))
    assert states[1].dtype == tf.float32
    difference = np.abs(states[0] - states[1])
    assert 1e-4 < difference.max() < 0.1 * np.abs(states[0]).max()


@pytest.mark.parametrize("is_fused", [False, True])
@pytest.mark.parametrize("seed", [None, [3, 4]])
def test_mirrored_weights_encode_as_plain_ones(seed, is_fused):
    """Also outside of a graph, where they are more than tensors."""
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        mirrored = randomized(make(dropout=0.3))
    items = tf.constant([[0, 0, 3, 4, 5, 6], [1, 2, 3, 4, 5, 7]])
    with fusion(is_fused):
        states = [
            e.states(items, seed) for e in (mirrored, randomized(make(dropout=0.3)))
        ]
    np.testing.assert_allclose(*states, rtol=1e-6)

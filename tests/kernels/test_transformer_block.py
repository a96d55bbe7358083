"""The formulas against numpy; fused, and with their own gradients, against plain."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.kernels import transformer_block
from emkd_tf.kernels.dropout import drop
from emkd_tf.kernels.fusion import fusion
from emkd_tf.kernels.packing import Packing, clear

T, D, RATE = 6, 6, 0.4
SEED, SEEDS = tf.constant([3, -5]), tf.constant([[3, -5], [11, 2]])
IS_ITEM, HEADS = np.array([[0, 0, 1, 1], [0, 1, 1, 1]], bool), 2
PACKING = Packing(tf.constant(IS_ITEM), skip_padding=True)  # and a spare row
IS_ROW = (np.arange(T) < 5)[:, None]


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def tensor(values):
    return tf.constant(values, tf.float32)


def split_heads(product, bias):
    """At items only: what padding gets has no meaning and no gradient."""
    heads = transformer_block.split_heads(
        product, bias, PACKING, HEADS, dtype=product.dtype
    )
    return [
        tf.where(IS_ITEM[:, None, :, None], x, tf.zeros([], x.dtype)) for x in heads
    ]


def value_and_gradients(formula, inputs, is_fused):
    """Values, and gradients of a sum that weighs every value differently."""
    with fusion(is_fused), tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = tf.nest.flatten(formula(*inputs))
        total = tf.add_n(
            [
                tf.reduce_sum(tf.cast(x, tf.float32) * tensor(random(*x.shape, seed=i)))
                for i, x in enumerate(outputs)
            ]
        )
    return [*outputs, *tape.gradient(total, inputs)]


FORMULAS = {
    "standardize": (transformer_block.standardize, [(T, D)]),
    "scale_and_shift": (transformer_block.scale_and_shift, [(T, D), (D,), (D,)]),
    "split_heads": (split_heads, [(T, 3 * D), (3 * D,)]),
    "attention_weights": (
        lambda x: transformer_block.attention_weights(
            x, tf.constant([[False, True, True]] * 2), SEED, scale=0.5, rate=RATE
        ),
        [(2, 2, 3, 3)],
    ),
    "activate": (
        lambda x, bias: transformer_block.activate(x, bias, SEED, rate=RATE),
        [(T, D), (D,)],
    ),
    "add_residual": (
        lambda x, product, bias: transformer_block.add_residual(
            x, product, bias, SEEDS[:1], rate=RATE, dtype=product.dtype
        ),
        [(T, D), (T, D), (D,)],
    ),
    "add_residual, then dropout": (
        lambda x, product, bias: transformer_block.add_residual(
            x, product, bias, SEEDS, rate=RATE, dtype=product.dtype
        ),
        [(T, D), (T, D), (D,)],
    ),
    "clear": (lambda x: clear(x, tf.constant(IS_ROW)), [(T, D)]),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_fused_values_and_gradients_equal_plain_ones(name):
    formula, shapes = FORMULAS[name]
    inputs = [tensor(random(*shape, seed=i)) for i, shape in enumerate(shapes)]
    plain, fused = (
        value_and_gradients(formula, inputs, is_fused) for is_fused in (False, True)
    )
    for a, b in zip(plain, fused, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("is_fused", [False, True])
def test_a_bfloat16_product_comes_out_rounded_and_has_such_a_gradient(is_fused):
    product, bias = tf.cast(tensor(random(T, D)), tf.bfloat16), tensor(random(D))
    for name in ("activate", "split_heads", "add_residual"):
        formula, shapes = FORMULAS[name]
        wide = tf.cast(tensor(random(*shapes[-2])), tf.bfloat16)
        inputs = [wide, tensor(random(*shapes[-1]))]
        if name == "add_residual":
            inputs = [tensor(random(T, D, seed=9)), product, bias]
        found = value_and_gradients(formula, inputs, is_fused)
        exact = value_and_gradients(
            formula, [tf.cast(x, tf.float32) for x in inputs], False
        )
        expected = tf.float32 if name == "add_residual" else tf.bfloat16
        assert found[0].dtype == expected
        assert [g.dtype for g in found[-len(inputs) :]] == [x.dtype for x in inputs]
        for a, b in zip(found, exact, strict=True):
            np.testing.assert_allclose(tf.cast(a, tf.float32), b, rtol=0.02, atol=0.05)


def numpy_standard(x):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)


@pytest.mark.parametrize("is_fused", [False, True])
def test_standardized_rows_and_their_gradient_equal_differences(is_fused):
    x = random(T, D) * 3 + 1
    _, standard, by_x = value_and_gradients(
        transformer_block.standardize, [tensor(x)], is_fused
    )
    np.testing.assert_allclose(standard, numpy_standard(x), atol=1e-5)
    weights = random(T, D, seed=0), random(T, D, seed=1)
    for place in [(0, 0), (3, 2), (5, 5)]:
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[place] += sign * 1e-5
            values = moved * weights[0] + numpy_standard(moved) * weights[1]
            ends.append(values.sum())
        slope = (ends[0] - ends[1]) / 2e-5
        np.testing.assert_allclose(by_x[place], slope, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("is_fused", [False, True])
@pytest.mark.parametrize("rate", [0.0, RATE])
def test_the_activation_and_its_gradient_equal_tensorflows_own(rate, is_fused):
    inputs = [tensor(random(T, D) * 3), tensor(random(D))]
    found, expected = (
        value_and_gradients(formula, inputs, fuses)
        for formula, fuses in (
            (
                lambda x, bias: transformer_block.activate(x, bias, SEED, rate=rate),
                is_fused,
            ),
            (
                lambda x, bias: drop(
                    tf.nn.gelu(x + bias, approximate=True), SEED, rate
                ),
                False,
            ),
        )
    )
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("skip_padding", [True, False])
def test_heads_and_the_gradient_of_their_projection_equal_numpys(skip_padding):
    packing = Packing(tf.constant(IS_ITEM), skip_padding=skip_padding)
    rows, is_row = (IS_ITEM.sum() + 1, IS_ROW) if skip_padding else (8, packing.is_row)
    x, bias = tensor(random(rows, 3 * D)), tensor(random(3 * D))
    weights = random(3, *IS_ITEM.shape, D)
    at = np.flatnonzero(IS_ITEM) if not skip_padding else np.arange(IS_ITEM.sum())
    with tf.GradientTape() as tape:
        tape.watch([x, bias])
        heads = transformer_block.split_heads(x, bias, packing, HEADS, dtype=tf.float32)
        columns = [tf.reshape(tf.transpose(h, [0, 2, 1, 3]), [2, 4, D]) for h in heads]
        kept = weights * IS_ITEM[:, :, None]
        value = tf.reduce_sum(tf.stack(columns) * kept)
    by_x, by_bias = tape.gradient(value, [x, bias])
    expected = np.split((x + bias).numpy()[at], 3, axis=1)
    for column, part in zip(columns, expected, strict=True):
        np.testing.assert_allclose(column.numpy()[IS_ITEM], part, rtol=1e-5, atol=1e-6)
    gradient = np.zeros((rows, 3 * D))
    gradient[at] = np.concatenate([w[IS_ITEM] for w in weights], axis=1)
    np.testing.assert_allclose(by_x, gradient, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(by_bias, gradient.sum(axis=0), rtol=1e-5, atol=1e-5)
    assert not (by_x.numpy() * ~np.array(is_row)).any()


def test_padding_gets_no_attention():
    logits = random(2, 2, 3, 3)
    weights = transformer_block.attention_weights(
        tensor(logits),
        tf.constant([[False, True, True]] * 2),
        [0, 0],
        scale=0.5,
        rate=0.0,
    )
    expected = np.exp(logits * 0.5) * [0, 1, 1]
    expected /= expected.sum(-1, keepdims=True)
    np.testing.assert_allclose(weights, expected, rtol=1e-5, atol=1e-6)

"""Fused formulas against the formulas as they are."""

import numpy as np
import tensorflow as tf

from emkd_tf.kernels.fusion import fused, fusion, rounded_up


@fused
def formula(left, right, number, *, scale):
    return tf.tanh(left * right) * scale, tf.reduce_sum(left + number, axis=-1)


def operations(function, *inputs):
    graph = tf.function(function).get_concrete_function(*inputs).graph
    return [operation.type for operation in graph.get_operations()]


def run(is_on):
    left = tf.constant(np.random.default_rng(0).normal(size=(5, 3)), tf.float32)
    right, number = tf.constant([0.5, -1.0, 2.0]), tf.constant(2.0)
    with fusion(is_on), tf.GradientTape() as tape:
        tape.watch([left, right])
        wide, narrow = formula(left, right, number, scale=3.0)
        value = tf.reduce_sum(wide**2) + tf.reduce_sum(narrow**3)
    return wide, narrow, *tape.gradient(value, [left, right])


def test_values_and_gradients_equal_the_plain_formula():
    for plain, compiled in zip(run(False), run(True), strict=True):
        np.testing.assert_allclose(plain, compiled, rtol=1e-5, atol=1e-6)


def _double(number, upstream, *, scale):
    return None, upstream * number * scale


@fused(gradient=_double, reads=["number"])
def with_own_gradient(left, number, *, scale):
    return left + tf.stop_gradient(number) * scale


def test_a_gradient_by_hand_gets_what_it_reads_and_holds_under_fusion_only():
    left, number = tf.ones([2, 3]), tf.constant(5.0)
    for is_on, expected in ((True, 5.0 * 2 * 6), (False, None)):
        with fusion(is_on), tf.GradientTape() as tape:
            tape.watch([left, number])
            value = tf.reduce_sum(with_own_gradient(left, number, scale=2.0))
        by_number = tape.gradient(value, number)
        if is_on:
            np.testing.assert_allclose(tf.reduce_sum(by_number), expected)
        else:
            assert by_number is None


def test_only_what_is_traced_inside_is_compiled():
    def traced(is_on):
        def function(x):
            with fusion(is_on):
                return formula(x, x, x[0, 0], scale=2.0)

        return operations(function, tf.ones([2, 3]))

    assert "Tanh" in traced(False)
    assert "Tanh" not in traced(True)
    assert any("PartitionedCall" in name for name in traced(True))


def test_rounding_wastes_little_and_gives_few_numbers():
    assert rounded_up(tf.constant(12345)).numpy() == 12345
    with fusion(True):
        for count in (1, 31, 32, 33, 800, 5000, 24000, 10**6):
            rounded = int(rounded_up(tf.constant(count)))
            assert count <= rounded <= max(32 * -(-count // 32), count * (1 + 1 / 32))
        counts = range(20_000, 28_000)
        numbers = {int(rounded_up(tf.constant(count))) for count in counts[::50]}
        assert len(numbers) <= 17
        assert rounded_up(tf.constant(0)).numpy() == 0

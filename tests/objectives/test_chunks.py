"""Sums over chunks against the sum over all rows, with their gradients."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.objectives.chunks import sum_over_chunks
from emkd_tf.objectives.distillation import distillation_loss
from emkd_tf.objectives.masked_item import masked_item_loss

D, V = 3, 11


def inputs(num_rows, seed=0):
    rng = np.random.default_rng(seed)
    shape = [num_rows, D]
    states, others = (tf.constant(rng.normal(size=shape), tf.float32) for _ in "12")
    tables = [tf.constant(rng.normal(size=[V, D]), tf.float32) for _ in range(2)]
    labels = tf.constant(rng.integers(0, V, num_rows), tf.int32)
    weights = tf.constant(rng.random(num_rows), tf.float32)
    return [states, others], [labels, weights], tables


def losses(rows, constants, tables):
    labels, weights = constants
    logits = [
        tf.matmul(x, w, transpose_b=True) for x, w in zip(rows, tables, strict=True)
    ]
    masked = tf.add_n([masked_item_loss(z, labels) for z in logits])
    values = masked, distillation_loss(logits, temperature=0.5)
    first, second = (tf.reduce_sum(weights * value) for value in values)
    return tf.stack([first + 0.1 * second, first, second])


def run(num_rows, size, in_graph):
    rows, constants, tables = inputs(num_rows)

    def compute():
        with tf.GradientTape() as tape:
            tape.watch([*rows, *tables])
            sums = sum_over_chunks(
                losses, rows, constants, tables, num_values=3, size=size
            )
            value = 3.0 * sums[0]  # not the sum itself: its gradient is scaled
        return sums, tape.gradient(value, [*rows, *tables])

    return tf.function(compute)() if in_graph else compute()


@pytest.mark.parametrize("in_graph", [False, True])
@pytest.mark.parametrize(
    ("num_rows", "size"), [(7, 7), (7, 3), (8, 4), (9, 2), (5, 1), (3, 100)]
)
def test_equals_all_rows_at_once(num_rows, size, in_graph):
    expected, gradients = run(num_rows, None, in_graph)
    sums, own = run(num_rows, size, in_graph)
    np.testing.assert_allclose(sums, expected, rtol=1e-5, atol=1e-6)
    for one, other in zip(own, gradients, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_the_gradient_is_the_closed_form_in_numpy():
    (states, _), (labels, weights), (table, _) = inputs(7)

    def cross_entropy(rows, constants, shared):
        logits = tf.matmul(rows[0], shared[0], transpose_b=True)
        loss = masked_item_loss(logits, constants[0])
        return tf.reduce_sum(constants[1] * loss)[tf.newaxis]

    with tf.GradientTape() as tape:
        tape.watch([states, table])
        value = sum_over_chunks(
            cross_entropy, [states], [labels, weights], [table], num_values=1, size=3
        )[0]
    by_state, by_table = tape.gradient(value, [states, table])
    exponentials = np.exp(states.numpy() @ table.numpy().T)
    by_logit = exponentials / exponentials.sum(1, keepdims=True)
    by_logit[range(7), labels] -= 1.0
    by_logit *= weights.numpy()[:, None]
    np.testing.assert_allclose(by_state, by_logit @ table.numpy(), atol=1e-5)
    np.testing.assert_allclose(by_table, by_logit.T @ states.numpy(), atol=1e-5)


@pytest.mark.parametrize("in_graph", [False, True])
def test_no_rows_give_zero(in_graph):
    sums, gradients = run(0, 4, in_graph)
    np.testing.assert_array_equal(sums, 0.0)
    for gradient in gradients:
        np.testing.assert_array_equal(gradient, tf.zeros_like(gradient))


def test_logits_of_all_rows_never_exist_together():
    rows, constants, tables = inputs(9)

    def largest(rows, constants, tables):
        seen.append(rows[0].shape[0])
        return losses(rows, constants, tables)

    seen = []
    sum_over_chunks(largest, rows, constants, tables, num_values=3, size=4)
    assert seen == [3, 3, 3]

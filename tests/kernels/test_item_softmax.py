"""Losses over the catalogue against numpy, and against the losses one by one."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.kernels import item_softmax as module
from emkd_tf.kernels.fusion import fusion
from emkd_tf.kernels.item_softmax import ItemSoftmax
from emkd_tf.objectives.distillation import distillation_loss
from emkd_tf.objectives.masked_item import masked_item_loss

D, V, N = 3, 11, 3


def inputs(num_rows, num_networks=N, seed=0):
    rng = np.random.default_rng(seed)

    def normal(*shape):
        values = rng.normal(size=(num_networks, *shape))
        return [tf.constant(x, tf.float32) for x in values]

    states, tables, biases = normal(num_rows, D), normal(V, D), normal(V)
    labels = tf.constant(rng.integers(0, V, num_rows), tf.int32)
    weights = tf.constant(rng.random(num_rows), tf.float32)
    return states, tables, biases, labels, weights


def without_biases(given):
    states, tables, _, labels, weights = given
    return states, tables, [], labels, weights


def one_by_one(temperature, weight, states, tables, biases, labels, weights):
    """By the losses' own functions and TensorFlow's gradient."""
    biases = biases or [tf.zeros([V])] * len(tables)
    logits = [
        tf.matmul(x, w, transpose_b=True) + b
        for x, w, b in zip(states, tables, biases, strict=True)
    ]
    losses = [masked_item_loss(z, labels) for z in logits]
    losses.append(distillation_loss(logits, temperature=temperature))
    *masked, kd = (tf.reduce_sum(weights * loss) for loss in losses)
    return tf.stack([tf.add_n(masked) + weight * kd, kd, *masked])


def run(losses, given, in_graph=False, is_fused=False):
    variables = [x for part in given[:3] for x in part]

    def compute():
        with fusion(is_fused), tf.GradientTape() as tape:
            tape.watch(variables)
            sums = losses(*given)
            value = 3.0 * sums[0]  # not the sum itself: its gradient is scaled
        return sums, tape.gradient(value, variables)

    return tf.function(compute)() if in_graph else compute()


@pytest.mark.parametrize("is_fused", [False, True])
@pytest.mark.parametrize("in_graph", [False, True])
@pytest.mark.parametrize(
    ("num_rows", "size"),
    [(7, None), (7, 7), (7, 3), (8, 4), (9, 2), (5, 1), (3, 100)],
)
def test_equals_the_losses_one_by_one(num_rows, size, in_graph, is_fused):
    given = inputs(num_rows)
    expected, gradients = run(lambda *x: one_by_one(0.5, 0.1, *x), given)
    losses = ItemSoftmax(0.5, 0.1, chunk_size=size)
    sums, own = run(losses, given, in_graph, is_fused)
    np.testing.assert_allclose(sums, expected, rtol=1e-5, atol=1e-6)
    for one, other in zip(own, gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def softmax(x):
    exponentials = np.exp(x - x.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


@pytest.mark.parametrize("temperature", [0.7, 1.0])
@pytest.mark.parametrize("is_fused", [False, True])
def test_values_and_gradients_are_the_closed_forms_in_numpy(temperature, is_fused):
    weight = 0.2
    given = inputs(7)
    losses = ItemSoftmax(temperature, weight, chunk_size=3)
    sums, gradients = run(losses, given, is_fused=is_fused)
    states, tables, biases = ([x.numpy() for x in part] for part in given[:3])
    labels, weights = (x.numpy() for x in given[3:])
    logits = [x @ w.T + b for x, w, b in zip(states, tables, biases, strict=True)]
    hard, soft = (
        [softmax(z / divisor) for z in logits] for divisor in (1.0, temperature)
    )
    masked = [weights @ -np.log(p[range(7), labels]) for p in hard]
    kd = sum(
        0.5 * weights @ ((p - q) * np.log(p / q)).sum(1)
        for p, q in itertools.combinations(soft, 2)
    )
    expected = [sum(masked) + weight * kd, kd, *masked]
    np.testing.assert_allclose(sums, expected, rtol=1e-4)
    for n in range(N):
        slope = hard[n] - np.eye(V)[labels]
        slope += weight / (2 * temperature) * sum(soft[n] - other for other in soft)
        slope *= 3.0 * weights[:, None]
        by_state, by_table, by_bias = (
            gradients[n],
            gradients[N + n],
            gradients[2 * N + n],
        )
        np.testing.assert_allclose(by_state, slope @ tables[n], atol=1e-4)
        np.testing.assert_allclose(by_table, slope.T @ states[n], atol=1e-4)
        np.testing.assert_allclose(by_bias, slope.sum(0), atol=1e-4)


def test_at_temperature_1_a_network_learns_the_mean_of_the_others():
    """The slope of a logit is p (1 + mu) - y - mu * mean of the others' p, for three
    networks, a mean over two."""
    mu, given = 0.6, inputs(5)
    _, gradients = run(ItemSoftmax(1.0, mu), given)
    states, tables, biases = ([x.numpy() for x in part] for part in given[:3])
    p = [softmax(x @ w.T + b) for x, w, b in zip(states, tables, biases, strict=True)]
    for n in range(N):
        others = (sum(p) - p[n]) / (N - 1)
        slope = p[n] * (1 + mu) - np.eye(V)[given[3]] - mu * others
        expected = 3.0 * given[4].numpy()[:, None] * slope @ tables[n]
        np.testing.assert_allclose(gradients[n], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("is_fused", [False, True])
@pytest.mark.parametrize(("size", "in_graph"), [(None, False), (3, False), (3, True)])
@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_biases_may_be_left_out(temperature, size, in_graph, is_fused):
    given = without_biases(inputs(7))
    expected, gradients = run(lambda *x: one_by_one(temperature, 0.3, *x), given)
    losses = ItemSoftmax(temperature, 0.3, chunk_size=size)
    sums, own = run(losses, given, in_graph, is_fused)
    np.testing.assert_allclose(sums, expected, rtol=1e-5, atol=1e-6)
    assert len(own) == 2 * N
    for one, other in zip(own, gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [None, 4])
@pytest.mark.parametrize("in_graph", [False, True])
def test_no_rows_give_zero(in_graph, size):
    sums, gradients = run(ItemSoftmax(0.5, 0.1, chunk_size=size), inputs(0), in_graph)
    np.testing.assert_array_equal(sums, 0.0)
    for gradient in gradients:
        np.testing.assert_array_equal(gradient, tf.zeros_like(gradient))


@pytest.mark.parametrize("num_networks", [1, 2])
def test_without_distillation_only_masked_items_count(num_networks):
    given = inputs(6, num_networks)
    sums, gradients = run(ItemSoftmax(0.5, None, chunk_size=4), given)
    expected, of_masked = run(lambda *x: one_by_one(0.5, 0.0, *x), given)
    masked = expected[2:]
    np.testing.assert_allclose(sums, [sum(masked), 0.0, *masked], rtol=1e-5)
    for one, other in zip(gradients, of_masked, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("is_fused", [False, True])
def test_a_weight_of_zero_leaves_distillation_to_be_read(is_fused):
    given = inputs(6)
    sums, gradients = run(ItemSoftmax(0.5, 0.0), given, is_fused=is_fused)
    expected, of_masked = run(lambda *x: one_by_one(0.5, 0.0, *x), given)
    np.testing.assert_allclose(sums, expected, rtol=1e-5)
    assert sums[1] > 0.1
    for one, other in zip(gradients, of_masked, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("is_fused", [False, True])
def test_bfloat16_products_are_near_and_their_gradients_float32(is_fused):
    given = inputs(9)
    expected, gradients = run(ItemSoftmax(0.5, 0.1, chunk_size=4), given)
    losses = ItemSoftmax(0.5, 0.1, "bfloat16", chunk_size=4)
    sums, own = run(losses, given, is_fused=is_fused)
    assert (sums.numpy() != expected.numpy()).any()
    np.testing.assert_allclose(sums, expected, rtol=0.02)
    for one, other in zip(own, gradients, strict=True):
        assert one.dtype == tf.float32
        np.testing.assert_allclose(one, other, rtol=0.05, atol=0.1)


def test_logits_of_all_rows_never_exist_together(monkeypatch):
    seen = []
    cross_entropy = module.cross_entropy

    def recorded(logits, labels):
        seen.append(logits.shape[0])
        return cross_entropy(logits, labels)

    monkeypatch.setattr(module, "cross_entropy", recorded)
    ItemSoftmax(0.5, 0.1, chunk_size=4)(*inputs(9))
    assert seen == [3] * 3 * N

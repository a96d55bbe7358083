"""Every item loss against numpy, from states, item tables and biases on."""

import numpy as np
import pytest
import tensorflow as tf
from small_models import make_tower

from emkd_tf.kernels.compute import Compute
from emkd_tf.models.item_losses import ITEM_LOSSES, GeneralizedBinaryCrossEntropy

V, D, P, K = 20, 6, 5, 3
LABELS = np.array([4, 9, 4, 20, 1], np.int32)
WEIGHTS = np.array([0.5, 1.0, 0.0, 2.0, 0.25], np.float32)
NEGATIVES = np.array([[5, 6, 7], [1, 2, 2], [8, 3, 5], [7, 8, 10], [2, 3, 9]], np.int32)
CANDIDATES = np.array([3, 9, 4, 4, 11, 12], np.int32)  # with labels, one twice
LOG_EXPECTED = np.array([-0.5, 0.1, 0.7, 0.7, -1.0, 0.0], np.float32)
TEMPERATURE, MU = 0.4, 0.3


def towers_of(count=1, use_item_bias=True, tie=False):
    towers = [
        make_tower(
            num_items=V,
            hidden_units=D,
            use_item_bias=use_item_bias,
            tie_item_embeddings=tie,
        )
        for _ in range(count)
    ]
    rng = np.random.default_rng(1)
    for tower in towers:
        for weight in tower.trainable_variables:
            weight.assign(rng.normal(size=weight.shape) * 0.5)
    return towers


def states_of(count=1):
    rng = np.random.default_rng(2)
    return [tf.constant(rng.normal(size=(P, D)), tf.float32) for _ in range(count)]


def drawn_of(name):
    if ITEM_LOSSES[name].CARRIES == "candidates":
        drawn = {"candidates": CANDIDATES, "log_expected": LOG_EXPECTED}
    elif ITEM_LOSSES[name].CARRIES == "negatives":
        drawn = {"negatives": NEGATIVES}
    else:
        drawn = {}
    return {key: tf.constant(value) for key, value in drawn.items()}


def call(name, towers, states, weights=WEIGHTS, **options):
    loss = ITEM_LOSSES[name](**options)
    return loss(
        towers, states, tf.constant(LABELS), tf.constant(weights), drawn_of(name)
    )


def log_softmax(z):
    z = z - z.max()
    return z - np.log(np.exp(z).sum())


def log_sigmoid(z):
    return -np.log1p(np.exp(-z))


def columns_of(name, row):
    """Items that a position scores, and their corrections; the label's place."""
    label = LABELS[row]
    if name == "full":
        return np.arange(V + 1), np.zeros(V + 1), label
    if name == "sampled":
        is_other = label != CANDIDATES
        corrections = np.append(0, LOG_EXPECTED[is_other])
        return np.append(label, CANDIDATES[is_other]), corrections, 0
    return np.append(label, NEGATIVES[row]), np.zeros(1 + K), 0


def logits_of(tower, states, items, row):
    bias = 0 if tower.item_bias is None else tower.item_bias.numpy()[items]
    return tower.item_table().numpy()[items] @ states[row].numpy() + bias


def numpy_item_loss(name, z, corrections, place):
    if name in ("full", "sampled", "negatives"):
        return -log_softmax(z - corrections)[place]
    right, wrong = z[0], z[1:]
    if name == "bpr":
        return -np.mean(log_sigmoid(right - wrong))
    if name == "bce":
        return -log_sigmoid(right) - np.mean(log_sigmoid(-wrong))
    alpha, t = K / (V - 1), GeneralizedBinaryCrossEntropy.calibration
    beta = alpha * (t * (1 - 1 / alpha) + 1 / alpha)
    return -(beta * log_sigmoid(right) + log_sigmoid(-wrong).sum()) / (1 + K)


def numpy_sums(name, towers, states):
    items, distillation = np.zeros(len(towers)), 0.0
    for row in range(P):
        columns, corrections, place = columns_of(name, row)
        each = [
            logits_of(tower, x, columns, row)
            for tower, x in zip(towers, states, strict=True)
        ]
        losses = [numpy_item_loss(name, z, corrections, place) for z in each]
        items += WEIGHTS[row] * np.array(losses)
        if len(each) == 2:
            a, b = (log_softmax(z / TEMPERATURE - corrections) for z in each)
            gap = (np.exp(a) - np.exp(b)) @ (a - b)
            distillation += WEIGHTS[row] * 0.5 * gap
    return items, distillation


def test_every_loss_has_a_reference():
    assert set(ITEM_LOSSES) == {"full", "sampled", "negatives", "bce", "bpr", "gbce"}


@pytest.mark.parametrize("use_item_bias", [True, False])
@pytest.mark.parametrize("static_shapes", [False, True])
@pytest.mark.parametrize("tie", [False, True])
@pytest.mark.parametrize("name", ITEM_LOSSES)
def test_one_tower_equals_numpy(name, tie, static_shapes, use_item_bias):
    towers, states = towers_of(1, use_item_bias, tie), states_of(1)
    compute = Compute(static_shapes=static_shapes)
    sums = call(name, towers, states, compute=compute)
    expected, _ = numpy_sums(name, towers, states)
    np.testing.assert_allclose(sums.items, expected, rtol=1e-4)
    np.testing.assert_allclose(sums.total, expected[0], rtol=1e-4)
    assert float(sums.distillation) == 0.0


@pytest.mark.parametrize("name", ITEM_LOSSES)
def test_two_towers_learn_from_each_other(name):
    towers, states = towers_of(2), states_of(2)
    options = {"temperature": TEMPERATURE, "distillation_weight": MU}
    sums = call(name, towers, states, **options)
    items, distillation = numpy_sums(name, towers, states)
    assert distillation > 0.01
    np.testing.assert_allclose(sums.items, items, rtol=1e-4)
    np.testing.assert_allclose(sums.distillation, distillation, rtol=1e-4)
    expected = items.sum() + MU * distillation
    np.testing.assert_allclose(sums.total, expected, rtol=1e-4)


@pytest.mark.parametrize("name", ITEM_LOSSES)
def test_a_position_without_weight_counts_nothing(name):
    """Also where its state is far off."""
    towers, states = towers_of(), states_of()
    other = tf.tensor_scatter_nd_update(states[0], [[2]], tf.fill([1, D], 40.0))
    for states_each in (states[0], other):
        with tf.GradientTape() as tape:
            tape.watch(states_each)
            sums = call(name, towers, [states_each])
        gradient = tape.gradient(sums.total, states_each)
        assert not gradient[2].numpy().any()
        expected, _ = numpy_sums(name, towers, states)
        np.testing.assert_allclose(sums.items, expected, rtol=1e-4)


@pytest.mark.parametrize("use_item_bias", [True, False])
@pytest.mark.parametrize("name", ITEM_LOSSES)
def test_gradients_equal_differences_of_values(name, use_item_bias):
    """Along a random direction of the item tables, the biases and the states."""
    towers, states = towers_of(2, use_item_bias), states_of(2)
    weights = [
        w for t in towers for w in (t.item_weights, t.item_bias) if w is not None
    ]
    options = {"temperature": TEMPERATURE}  # KD's teachers stand still in gradients
    with tf.GradientTape() as tape:
        tape.watch(states)
        total = call(name, towers, states, **options).total
    gradients = tape.gradient(total, [*weights, *states])
    gradients = [tf.convert_to_tensor(g).numpy() for g in gradients]
    assert all(np.isfinite(g).all() for g in gradients)
    rng = np.random.default_rng(4)
    ways = [rng.normal(size=g.shape) for g in gradients]
    start, step, found = [w.numpy() for w in weights], 3e-3, []
    for sign in (1, -1):
        for weight, value, way in zip(weights, start, ways, strict=False):
            weight.assign(value + sign * step * way)
        moved = [
            x + sign * step * tf.constant(way, tf.float32)
            for x, way in zip(states, ways[len(weights) :], strict=True)
        ]
        found.append(numpy_sums(name, towers, moved)[0].sum())
    slope = (found[0] - found[1]) / (2 * step)
    expected = sum((g * way).sum() for g, way in zip(gradients, ways, strict=True))
    np.testing.assert_allclose(slope, expected, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("tie", [False, True])
@pytest.mark.parametrize("name", [n for n in ITEM_LOSSES if ITEM_LOSSES[n].CARRIES])
def test_only_rows_of_labels_and_drawn_items_are_touched(name, tie):
    (tower,), states = towers_of(tie=tie), states_of()
    weights = [tower.serving_table(), tower.item_bias]
    with tf.GradientTape() as tape:
        total = call(name, [tower], states).total
    drawn = CANDIDATES if name == "sampled" else NEGATIVES
    items = {*LABELS.tolist(), *drawn.ravel().tolist()}
    for gradient in tape.gradient(total, weights):
        assert isinstance(gradient, tf.IndexedSlices)
        assert set(gradient.indices.numpy()) == items

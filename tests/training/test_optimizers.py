"""Adam against Keras' own, lazy Adam against numpy and TensorFlow Addons, names."""

import importlib.util

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.errors import InputError
from emkd_tf.training.optimizers import (
    OPTIMIZERS,
    Adam,
    LazyAdam,
    create_slots,
    make_optimizer,
)

HAS_ADDONS = tf.__version__.startswith("2.15.") and bool(
    importlib.util.find_spec("tensorflow_addons")
)
ROWS, D = 6, 4


def slices(rng, num_rows=3):
    """A gradient of rows that may repeat, and the same as an array."""
    values = rng.normal(size=(num_rows, D)).astype(np.float32)
    rows = rng.integers(0, ROWS, size=num_rows)
    dense = np.zeros([ROWS, D], np.float32)
    np.add.at(dense, rows, values)
    return tf.IndexedSlices(values, rows, [ROWS, D]), dense


@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("sparse", [False, True])
def test_adam_equals_keras(sparse, amsgrad):
    rng = np.random.default_rng(0)
    start = rng.normal(size=(ROWS, D)).astype(np.float32)
    ours, theirs = tf.Variable(start), tf.Variable(start)
    optimizers = (
        (Adam(0.05, amsgrad=amsgrad), ours),
        (tf.keras.optimizers.Adam(0.05, amsgrad=amsgrad), theirs),
    )
    for _ in range(20):
        gradient, dense = slices(rng)
        for optimizer, variable in optimizers:
            given = gradient if sparse else tf.constant(dense)
            optimizer.apply_gradients([(given, variable)])
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    assert np.abs(ours - start).max() > 0.1
    assert int(optimizers[0][0].iterations) == 20


def test_lazy_adam_equals_numpy_and_leaves_other_rows_alone():
    rng = np.random.default_rng(1)
    start = rng.normal(size=(ROWS, D)).astype(np.float32)
    variable, optimizer = tf.Variable(start), LazyAdam(0.05)
    weights, mean, square = (
        start.astype(float),
        np.zeros((ROWS, D)),
        np.zeros((ROWS, D)),
    )
    for step in range(1, 31):
        gradient, dense = slices(rng)
        before = variable.numpy()
        optimizer.apply_gradients([(gradient, variable)])
        rows = np.unique(gradient.indices)
        mean[rows] = 0.9 * mean[rows] + 0.1 * dense[rows]
        square[rows] = 0.999 * square[rows] + 0.001 * dense[rows] ** 2
        unbiased = mean[rows] / (1 - 0.9**step)
        deviation = np.sqrt(square[rows] / (1 - 0.999**step))
        weights[rows] -= 0.05 * unbiased / (deviation + 1e-7)
        np.testing.assert_allclose(variable, weights, rtol=1e-4, atol=1e-5)
        others = np.setdiff1d(np.arange(ROWS), rows)
        np.testing.assert_array_equal(variable.numpy()[others], before[others])
    for name, expected in (("m", mean), ("v", square)):
        slot = next(v for v in optimizer.variables if f"/{name}/" in v.name)
        np.testing.assert_allclose(slot, expected, rtol=1e-4, atol=1e-6)


def test_lazy_adam_equals_adam_where_all_rows_have_a_gradient():
    rng = np.random.default_rng(2)
    variables = [tf.Variable(tf.ones([ROWS, D])) for _ in range(3)]
    optimizers = LazyAdam(0.05), LazyAdam(0.05), Adam(0.05)
    for _ in range(10):
        values = tf.constant(rng.normal(size=(ROWS, D)), tf.float32)
        sparse = tf.IndexedSlices(values, tf.range(ROWS), [ROWS, D])
        for given, variable, optimizer in zip(
            (sparse, values, values), variables, optimizers, strict=True
        ):
            optimizer.apply_gradients([(given, variable)])
    for lazy in variables[:2]:
        np.testing.assert_allclose(lazy, variables[2], rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(not HAS_ADDONS, reason="needs TensorFlow Addons")
def test_lazy_adam_equals_tensorflow_addons():
    rng = np.random.default_rng(3)
    ours, theirs = tf.Variable(tf.ones([ROWS, D])), tf.Variable(tf.ones([ROWS, D]))
    optimizers = (
        (make_optimizer("lazy_adam", 0.05), ours),
        (make_optimizer("Addons>LazyAdam", 0.05), theirs),
    )
    for _ in range(30):
        gradient, _ = slices(rng)
        for optimizer, variable in optimizers:
            optimizer.apply_gradients([(gradient, variable)])
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


ANY_STACK = ("adam", "lazy_adam", "SGD", "AdamW")
ADDONS = ("Addons>LazyAdam", "Addons>AdamW", "Addons>LAMB")


@pytest.mark.parametrize("name", ANY_STACK + (ADDONS if HAS_ADDONS else ()))
def test_optimizers_by_name_learn_and_come_back_from_a_checkpoint(name, tmp_path):
    target = tf.constant([[1.0, -2.0], [0.5, 3.0]])

    def make():
        variable, optimizer = tf.Variable(tf.ones([2, 2])), make_optimizer(name, 0.05)
        create_slots(optimizer, [variable])
        checkpoint = tf.train.Checkpoint(variable=variable, optimizer=optimizer)

        def step():
            optimizer.apply_gradients([(variable - target, variable)])

        return variable, optimizer, checkpoint, step

    variable, optimizer, checkpoint, step = make()
    assert float(optimizer.learning_rate) == pytest.approx(0.05)
    for _ in range(5):
        step()
    path = checkpoint.write(str(tmp_path / "checkpoint"))
    for _ in range(20):
        step()
    distance = tf.norm(variable - target)
    assert distance < 0.8 * tf.norm(tf.ones([2, 2]) - target)
    other, other_optimizer, other_checkpoint, other_step = make()
    other_checkpoint.read(path).assert_existing_objects_matched()
    assert int(other_optimizer.iterations.numpy()) == 5
    for _ in range(20):
        other_step()
    np.testing.assert_array_equal(other, variable)


@pytest.mark.parametrize("name", ["AdamW", *(ADDONS[1:] if HAS_ADDONS else ())])
def test_weight_decay_reaches_those_that_have_it(name):
    steps = {}
    for decay in (0.0, 0.1):
        variable = tf.Variable(tf.fill([2, 2], 4.0))
        optimizer = make_optimizer(name, 0.5, decay)
        for gradient in (1.0, -1.0):
            optimizer.apply_gradients([(tf.fill([2, 2], gradient), variable)])
        steps[decay] = variable.numpy()
    assert (steps[0.1] < steps[0.0]).all()


@pytest.mark.parametrize("name", ["adam", "AdamW"])
def test_weight_decay_leaves_vectors_alone(name):
    """Without a gradient the decay is all that a step does: times 1 - rate * decay."""
    matrix, bias = tf.Variable(tf.fill([2, 2], 4.0)), tf.Variable(tf.fill([2], 4.0))
    optimizer = make_optimizer(name, 0.5, 0.1)
    create_slots(optimizer, [matrix, bias])
    optimizer.apply_gradients([(tf.zeros([2, 2]), matrix), (tf.zeros([2]), bias)])
    np.testing.assert_allclose(matrix, np.full((2, 2), 4 * (1 - 0.05)), rtol=1e-6)
    np.testing.assert_array_equal(bias, np.full(2, 4.0))


@pytest.mark.skipif(HAS_ADDONS, reason="TensorFlow Addons is there")
@pytest.mark.parametrize("name", ADDONS)
def test_without_addons_one_line_says_what_to_install(name):
    with pytest.raises(InputError, match=r'pip install "emkd-tf\[addons\]"') as caught:
        make_optimizer(name, 0.1)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("lazyadam", "Did you mean `lazy_adam`?"),
        ("adagrad", "Did you mean `Adagrad`?"),
        ("Layer", "Known are: Adadelta"),
    ],
)
def test_an_unknown_name_is_one_line_with_the_nearest(name, hint):
    with pytest.raises(InputError) as caught:
        make_optimizer(name, 0.1)
    assert hint in str(caught.value)
    assert repr(name) in str(caught.value)


def test_what_needs_more_than_these_settings_is_refused():
    with pytest.raises(InputError, match="cannot be made from `learning_rate` and"):
        make_optimizer("Addons>LazyAdam" if HAS_ADDONS else "Optimizer", 0.1, 0.5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_own_optimizers_are_known_to_keras(name):
    optimizer = make_optimizer(name, 0.25)
    config = tf.keras.optimizers.serialize(optimizer)
    copy = tf.keras.optimizers.deserialize(config)
    assert type(copy) is OPTIMIZERS[name]
    assert float(copy.learning_rate) == 0.25

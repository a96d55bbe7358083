"""What is not finite is found anywhere, and cleared."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.models.nonfinite import are_finite, cleared, without_nonfinite


def gradients(dense=1.0, of_slice=2.0):
    rows = tf.IndexedSlices(
        tf.constant([[of_slice, 0.0]]), tf.constant([3]), tf.constant([5, 2])
    )
    return [tf.constant([dense, 1.0]), None, rows]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_value_anywhere_is_enough(bad):
    loss = tf.constant(1.0)
    assert are_finite(loss, gradients())
    assert not are_finite(tf.constant(bad, tf.float32), gradients())
    assert not are_finite(loss, gradients(dense=bad))
    assert not are_finite(loss, gradients(of_slice=bad))


def test_a_bad_gradient_is_zero_and_of_its_kind():
    dense, nothing, rows = (cleared(g, tf.constant(True)) for g in gradients(np.nan))
    np.testing.assert_array_equal(dense, [0.0, 0.0])
    assert nothing is None
    np.testing.assert_array_equal(rows.values, [[0.0, 0.0]])
    np.testing.assert_array_equal(rows.indices, [3])
    for one, other in zip(gradients(), gradients(), strict=True):
        if one is not None:
            kept = tf.convert_to_tensor(cleared(one, tf.constant(False)))
            np.testing.assert_array_equal(kept, tf.convert_to_tensor(other))


def test_one_bad_value_zeroes_all_losses_and_gradients():
    losses = {"total": tf.constant(3.0), "size": tf.constant(np.nan)}
    is_bad, left, (dense, nothing, rows) = without_nonfinite(losses, gradients(np.inf))
    assert is_bad
    assert {name: loss.numpy() for name, loss in left.items()} == dict.fromkeys(left, 0)
    np.testing.assert_array_equal(dense, [0.0, 0.0])
    assert nothing is None
    np.testing.assert_array_equal(rows.values, [[0.0, 0.0]])
    is_bad, left, kept = without_nonfinite(losses, gradients())
    assert not is_bad
    assert left["total"] == 3.0
    np.testing.assert_array_equal(kept[0], gradients()[0])

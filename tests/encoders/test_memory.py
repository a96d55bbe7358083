"""Reading from a memory, against numpy."""

import numpy as np
import tensorflow as tf
from numpy_layers import dense, softmax

from emkd_tf.encoders.memory import MemoryRead
from emkd_tf.kernels.dropout import Dropout

STATES = np.random.default_rng(0).normal(size=(400, 6)).astype(np.float32)


def make(dropout=0.3):
    memory = MemoryRead(6, 4, dropout, seed=1)
    rng = np.random.default_rng(1)
    for weight in memory.trainable_variables:
        weight.assign(rng.normal(size=weight.shape))
    return memory


def test_what_the_slots_hold_is_added():
    memory = make()
    read = softmax(dense(STATES, memory.address)) @ memory.slots.numpy()
    found = memory(tf.constant(STATES), Dropout(0.5, None))
    np.testing.assert_allclose(found, STATES + read, rtol=1e-4, atol=1e-5)


def test_its_dropout_has_a_rate_of_its_own():
    for rate in (0.0, 0.6):
        seed = tf.constant([1, 2])
        found = make(0.3)(tf.constant(STATES), Dropout(rate, seed)).numpy()
        share = (found == 0.0).mean()
        assert abs(share - 0.3) < 4 * (0.3 * 0.7 / found.size) ** 0.5

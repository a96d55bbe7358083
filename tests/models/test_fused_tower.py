"""A tower with a computed item table."""

import numpy as np
import tensorflow as tf
from numpy_layers import dense, softmax
from small_models import make_fused_tower
from weights import varied

from emkd_tf.kernels.dropout import Dropout

ROWS = tf.constant([[0, 0, 3, 9, 4], [5, 6, 7, 8, 2], [0, 0, 0, 0, 1]])


def make(**options):
    tower = make_fused_tower(**options)
    return varied(tower, 0.4)


def test_the_item_table_is_that_of_all_items_whatever_the_chunks(monkeypatch):
    tower = make()
    whole = tower.item_table()
    assert whole.shape == (tower.num_items + 1, tower.width)
    monkeypatch.setattr("emkd_tf.encoders.fusion._ITEMS_AT_ONCE", 7)
    np.testing.assert_allclose(tower.item_table(), whole, rtol=1e-4, atol=1e-5)
    for item in (1, tower.num_items):
        alone = tower.embedding.fuse(tf.constant([item]), Dropout(0.0, None))[0]
        np.testing.assert_allclose(whole[item], alone, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(tower.serving_table()[:-1], whole, rtol=1e-4, atol=1e-5)


def test_the_query_is_the_state_of_the_newest_item_with_what_it_reads():
    tower, plain = make(memory_slots=5), make(memory_slots=0)
    found = tower.states(ROWS).numpy()
    np.testing.assert_allclose(tower.query(ROWS), found[:, -1], rtol=1e-3, atol=1e-4)
    for weight, other in zip(
        plain.trainable_variables, tower.trainable_variables, strict=False
    ):
        weight.assign(other)
    states = plain.states(ROWS).numpy()
    states += softmax(dense(states, tower.memory.address)) @ tower.memory.slots.numpy()
    is_item = ROWS.numpy() > 0
    np.testing.assert_allclose(found[is_item], states[is_item], rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(found[~is_item], 0.0)


def test_a_place_knows_nothing_of_later_items():
    tower = make()
    changed = ROWS.numpy().copy()
    changed[1, 3:] = [20, 21]
    gap = np.abs(tower.states(ROWS) - tower.states(tf.constant(changed)))[1]
    assert gap[:3].max() < 1e-5
    assert gap[3:].max(axis=1).min() > 1e-3


def test_all_weights_turn_histories_into_queries():
    tower = make()
    assert len(tower.serving_variables) == len(tower.trainable_variables)
    assert np.isfinite(tower.query(tf.zeros([2, 0], tf.int32))).all()

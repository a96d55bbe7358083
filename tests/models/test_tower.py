"""What turns a history into a query, and the table it is held against."""

import numpy as np
import pytest
import tensorflow as tf
from small_models import make_tower

from emkd_tf.encoders.attributes import AttributeEmbedding


def make(tie=False, **options):
    return make_tower(
        num_items=7,
        max_length=4,
        hidden_units=6,
        num_heads=1,
        tie_item_embeddings=tie,
        mask_query=True,
        **options,
    )


@pytest.mark.parametrize("tie", [False, True])
def test_the_item_table_has_a_row_an_item_and_one_of_padding(tie):
    tower = make(tie)
    table = tower.embedding.items if tie else tower.item_weights
    np.testing.assert_array_equal(tower.item_table(), table.numpy()[:8])
    assert tower.serving_table() is table


@pytest.mark.parametrize("tie", [False, True])
def test_item_rows_are_those_of_the_table(tie):
    tower, ids = make(tie), np.array([[3, 1, 7], [3, 3, 2]])
    expected = tower.item_table().numpy()[ids]
    np.testing.assert_array_equal(tower.item_rows(tf.constant(ids)), expected)


@pytest.mark.parametrize("tie", [False, True])
def test_attributes_are_a_part_of_items_in_histories_and_in_tied_scores(tie):
    ids = np.array([[0, 0], [2, 1], [0, 0], [3, 0], [1, 0], [0, 0], [2, 0], [3, 1]])
    ids = np.append(ids, [[0, 0]], axis=0)  # of the mask token
    attributes = AttributeEmbedding(ids, 3, 6, seed=1)
    attributes.vectors.assign(np.random.default_rng(0).normal(size=(4, 6)))
    tower, plain = make(tie, attributes=attributes), make(tie)
    sums = np.stack([attributes.vectors.numpy()[row[row > 0]].sum(0) for row in ids])
    # A tower whose own vectors hold the sums already answers the same.
    plain.embedding.items.assign_add(sums)
    rows = tf.constant([[1, 2, 3], [0, 7, 6]])
    np.testing.assert_allclose(tower.query(rows), plain.query(rows), rtol=1e-5)
    table = plain.item_table()
    np.testing.assert_allclose(tower.item_table(), table, rtol=1e-5)
    np.testing.assert_allclose(tower.serving_table()[:8], table, rtol=1e-5)
    rows = tf.constant([4, 2])
    expected = plain.item_rows(rows)
    np.testing.assert_allclose(tower.item_rows(rows), expected, rtol=1e-5)
    assert attributes.vectors is tower.embedding.trainable_variables[-1]


def test_tying_spares_a_table():
    def count(tower):
        return sum(w.numpy().size for w in tower.trainable_variables)

    assert count(make()) - count(make(tie=True)) == 8 * 6


def test_serving_needs_all_that_a_tower_has():
    tower = make()
    assert len(tower.serving_variables) == len(tower.trainable_variables)


@pytest.mark.parametrize(("mask_query", "length"), [(True, 3), (False, 4)])
def test_a_query_reads_the_newest_items_alone(mask_query, length):
    encoder = "bidirectional" if mask_query else "causal"
    tower = make_tower(max_length=4, mask_query=mask_query, encoder=encoder)
    assert tower.history_length == length
    history = np.arange(1, 9)[np.newaxis]
    for changed, is_same in ((8 - length - 1, True), (8 - length, False)):
        other = history.copy()
        other[0, changed] = 20
        gap = tower.query(tf.constant(history)) - tower.query(tf.constant(other))
        assert (np.abs(gap).max() < 1e-6) == is_same


def test_the_query_of_a_causal_tower_is_the_state_of_the_newest_item():
    tower = make_tower(encoder="causal", mask_query=False)
    rows = tf.constant([[0, 0, 0, 3, 9, 4], [5, 6, 7, 8, 2, 1]])
    states = tower.states(rows)
    np.testing.assert_allclose(tower.query(rows), states[:, -1], atol=1e-6)
    for width in (0, 1, 40):
        assert np.isfinite(tower.query(tf.zeros([2, width], tf.int32))).all()

"""Items from a table, inside alone."""

import numpy as np
import pytest
import tensorflow as tf
from small_models import make_fused_tower, make_tower
from weights import varied

from emkd_tf.encoders.attributes import AttributeEmbedding

ROWS = tf.constant([[0, 0, 3, 9, 4], [5, 6, 7, 8, 30]])


def make_summed_tower():
    ids = np.random.default_rng(0).integers(1, 6, size=(32, 1))
    ids[[0, -1]] = 0
    return make_tower(
        attributes=AttributeEmbedding(ids, 5, 8, seed=1),
        **{"mask_query": True, "scale_embeddings": True, "tie_item_embeddings": True},
    )


@pytest.mark.parametrize("make", [make_summed_tower, make_fused_tower])
def test_a_table_of_all_rows_takes_the_place_of_what_it_is_computed_from(make):
    tower = varied(make())
    embedding, expected = tower.embedding, tower.query(ROWS)
    table = embedding.table_variable()
    assert table.shape[0] == tower.num_items + 2
    for weight in embedding.folded_variables:
        weight.assign(tf.zeros_like(weight))
    with embedding.folding.into(table):
        np.testing.assert_allclose(tower.query(ROWS), expected, rtol=1e-4, atol=1e-5)
        rows = embedding.rows(tf.constant([31, 2]))
        np.testing.assert_array_equal(rows, table.numpy()[[31, 2]])
    assert np.abs(tower.query(ROWS) - expected).max() > 1e-2
    assert table.ref() not in {weight.ref() for weight in tower.weights}


def test_an_error_inside_leaves_the_embedding_as_it_was():
    embedding = make_fused_tower().embedding
    with (
        pytest.raises(ValueError, match="stop"),
        embedding.folding.into(embedding.table_variable()),
    ):
        raise ValueError("stop")
    assert embedding.folding.table is None


def test_weights_that_are_a_table_stand_for_themselves():
    embedding = make_tower().embedding
    assert embedding.table_variable() is embedding.items
    assert embedding.folded_variables == []

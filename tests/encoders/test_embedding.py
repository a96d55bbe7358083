"""Item and position embeddings against indexing."""

import numpy as np
import tensorflow as tf
from numpy_layers import layer_norm

from emkd_tf.encoders.embedding import ItemEmbedding, at_places
from emkd_tf.kernels.dropout import Dropout
from emkd_tf.kernels.packing import Packing
from emkd_tf.special_ids import PAD_ID


def test_narrow_batches_use_the_last_positions():
    layer = ItemEmbedding(vocabulary_size=9, max_length=5, hidden_units=4, seed=0)
    item_ids = tf.constant([[0, 3, 8], [1, 2, 2]])
    packing = Packing(item_ids != PAD_ID, skip_padding=True)
    items, positions = layer.items.numpy(), layer.positions.numpy()
    expected = [
        items[3] + positions[3],
        items[8] + positions[4],
        items[1] + positions[2],
        items[2] + positions[3],
        items[2] + positions[4],
    ]
    np.testing.assert_allclose(
        layer(item_ids, packing, Dropout(0.5, None))[:5], expected, rtol=1e-6
    )


def test_an_encoder_that_knows_the_order_needs_no_positions():
    rng = np.random.default_rng(0)
    layer = ItemEmbedding(9, 5, 4, seed=0, use_positions=False, norm=True)
    layer.norm.gamma.assign(rng.normal(size=4))
    assert [w.name for w in layer.weights if "positions" in w.name] == []
    item_ids = tf.constant([[0, 3, 8]])
    packing = Packing(item_ids != PAD_ID, skip_padding=True)
    items = layer.items.numpy()[[3, 8]].astype(float)
    centred = items - items.mean(axis=1, keepdims=True)
    expected = centred / items.std(axis=1, keepdims=True) * layer.norm.gamma.numpy()
    found = layer(item_ids, packing, Dropout(0.5, None))[:2]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    again = ItemEmbedding.from_config(layer.get_config())
    assert again.positions is None


def test_scaled_items_are_plain_where_they_are_scored():
    layer = ItemEmbedding(9, 5, 16, seed=0, scale=True)
    item_ids = tf.constant([[0, 3, 8]])
    packing = Packing(item_ids != PAD_ID, skip_padding=True)
    items, positions = layer.items.numpy(), layer.positions.numpy()
    found = layer(item_ids, packing, Dropout(0.0, None))[:2]
    expected = 4 * items[[3, 8]] + positions[3:]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_array_equal(layer.table(9), items)
    assert ItemEmbedding.from_config(layer.get_config()).scale


def test_tables_start_as_the_setting_says():
    layer = ItemEmbedding(2000, 5, 100, seed=0, initialization="xavier")
    deviation = layer.items.numpy().std()
    np.testing.assert_allclose(deviation, (2 / 2100) ** 0.5, rtol=0.02)


def test_any_tokens_can_be_told_their_places():
    """The last column has the last position, whatever the width of the table."""
    rng = np.random.default_rng(0)
    packing = Packing(tf.constant([[False, True, True]]), skip_padding=True)
    tokens = rng.normal(size=(3, 4)).astype(np.float32)
    positions = rng.normal(size=(5, 4)).astype(np.float32)
    norm = tf.keras.layers.LayerNormalization(epsilon=1e-12)
    norm.build([None, 4])
    norm.gamma.assign([1.0, 2.0, 3.0, 4.0])
    arguments = (tf.constant(tokens), tf.constant(positions), packing)
    plain = at_places(*arguments, Dropout(0.5, None))
    expected = tokens[:2] + positions[3:]
    np.testing.assert_allclose(plain[:2], expected, rtol=1e-6)
    normed = at_places(*arguments, Dropout(0.5, None), norm)
    np.testing.assert_allclose(normed[:2], layer_norm(expected, norm), rtol=1e-3)

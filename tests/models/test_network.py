"""A network's heads and the helpers around them."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.encoders.transformer import TransformerEncoder
from emkd_tf.fusion import fusion
from emkd_tf.models.network import Network, chosen_positions, with_mask_token


def make(tie=False, num_attributes=3):
    encoder = TransformerEncoder(
        vocabulary_size=9,
        max_length=4,
        hidden_units=6,
        num_blocks=1,
        num_heads=1,
        dropout=0.0,
        seed=1,
    )
    return Network(
        encoder,
        num_items=7,
        num_attributes=num_attributes,
        seed=1,
        tie_item_embeddings=tie,
    )


@pytest.mark.parametrize("tie", [False, True])
def test_item_logits_are_products_with_the_item_table(tie):
    network = make(tie)
    network.item_bias.assign(tf.range(8, dtype=tf.float32))
    table = network.encoder.embedding.items if tie else network.item_weights
    states = np.random.default_rng(0).normal(size=(5, 6)).astype(np.float32)
    expected = states @ table.numpy()[:8].T + np.arange(8)
    np.testing.assert_allclose(network.item_logits(states), expected, rtol=1e-5)


def test_tying_spares_a_table_and_no_attributes_spare_a_head():
    def count(network):
        return sum(w.numpy().size for w in network.trainable_variables)

    assert count(make()) - count(make(tie=True)) == 8 * 6
    assert count(make()) - count(make(num_attributes=0)) == 3 * 6 + 3


def test_serving_leaves_out_the_attribute_head_alone():
    network = make()
    serving = {id(w) for w in network.serving_variables()}
    left = [w.name for w in network.trainable_variables if id(w) not in serving]
    assert len(left) == 2
    assert all("attribute" in name for name in left)


@pytest.mark.parametrize("length", [1, 3, 4, 6])
def test_the_mask_token_follows_the_newest_items(length):
    history = np.arange(1, length + 1)[np.newaxis]
    rows = with_mask_token(tf.constant(history, tf.int32), mask_id=9, max_length=4)
    expected = [*history[0].tolist(), 9][-4:]
    assert rows.numpy().tolist() == [expected]


def test_chosen_positions_with_and_without_a_static_shape():
    labels = tf.constant([0, 5, 0, 0, 2, 7, 0])

    def chosen(labels, capacity=None):
        positions, is_used = chosen_positions(labels, capacity)
        return positions.numpy().tolist(), is_used.numpy().tolist()

    assert chosen(labels) == ([1, 4, 5], [True] * 3)
    assert chosen(labels, 5) == ([1, 4, 5, 0, 0], [True] * 3 + [False] * 2)
    assert chosen(labels, 2) == ([1, 4], [True] * 2)
    assert chosen(tf.zeros([3], tf.int32)) == ([], [])
    with fusion(True):
        assert chosen(labels) == ([1, 4, 5] + [0] * 29, [True] * 3 + [False] * 29)
        assert chosen(tf.zeros([3], tf.int32)) == ([], [])

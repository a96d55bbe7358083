"""Item and position embeddings against indexing."""

import numpy as np
import tensorflow as tf

from emkd_tf.encoders.dropout import Dropout
from emkd_tf.encoders.embedding import ItemEmbedding
from emkd_tf.encoders.packing import Packing
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

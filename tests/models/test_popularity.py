"""PopRec."""

import numpy as np
import tensorflow as tf

from emkd_tf.models.popularity import PopRec


def test_everyone_gets_the_counts_as_scores():
    model = PopRec(np.array([3, 0, 7]), history_length=5)
    histories = tf.constant([[0, 1], [2, 3]])
    scores = model.user_vectors(histories) @ tf.transpose(model.item_vectors())
    np.testing.assert_array_equal(scores, [[3, 0, 7], [3, 0, 7]])

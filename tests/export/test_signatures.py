"""What happens to a history before it is scored."""

import numpy as np
import tensorflow as tf

from emkd_tf.export.signatures import newest_known


def test_padding_and_unknown_items_move_to_the_front():
    rows = tf.constant([[0, 5, 0, 6, 0], [1, 2, 3, 4, 5], [0, 0, 0, 0, 0]])
    assert newest_known(rows, 3).numpy().tolist() == [[0, 5, 6], [3, 4, 5], [0, 0, 0]]
    assert newest_known(rows[:, :2], 3).numpy().tolist() == [[0, 5], [1, 2], [0, 0]]
    assert newest_known(tf.zeros([2, 0], tf.int32), 3).shape == (2, 0)
    assert newest_known(rows, 9).numpy().dtype == np.int32

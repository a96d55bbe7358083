"""The token behind a history."""

import numpy as np
import pytest
import tensorflow as tf

from emkd_tf.models.mask_token import with_mask_token


@pytest.mark.parametrize("length", [1, 3, 4, 6])
def test_the_mask_token_follows_the_newest_items(length):
    history = np.arange(1, length + 1)[np.newaxis]
    rows = with_mask_token(tf.constant(history, tf.int32), mask_id=9, max_length=4)
    expected = [*history[0].tolist(), 9][-4:]
    assert rows.numpy().tolist() == [expected]

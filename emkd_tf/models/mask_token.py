"""The mask token after a history; its state is the query."""

from __future__ import annotations

import tensorflow as tf


def with_mask_token(item_ids: tf.Tensor, mask_id: int, max_length: int) -> tf.Tensor:
    """Appends the mask token to histories and keeps the last `max_length` places.

    Args:
        item_ids: [B, length] int32, left-padded with PAD_ID.
        mask_id: id of the mask token.
        max_length: L.

    Returns:
        [B, min(length + 1, L)] int32; the prediction is read from the last place.
    """
    item_ids = item_ids[:, -(max_length - 1) :]
    return tf.pad(item_ids, [[0, 0], [0, 1]], constant_values=mask_id)

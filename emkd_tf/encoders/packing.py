"""Skips padding: the rows of a batch's items, without the positions between them."""

from __future__ import annotations

import tensorflow as tf


class Packing:
    """Maps [B, L, ...] to [T, ...], the T positions that hold an item, and back.

    Two thirds of the positions of a batch can be padding; what works on one position at
    a time (projections, norms, feed-forward) need not touch them. With `skip_padding`
    off T is B * L: shapes are static, as XLA wants them.

    Args:
        is_item: [B, L] bool.
        skip_padding: leave the padding out.
    """

    def __init__(self, is_item: tf.Tensor, *, skip_padding: bool):
        self.is_item = is_item
        self._skips = skip_padding
        if skip_padding:
            flat = tf.reshape(is_item, [-1])
            self._positions = tf.where(flat)[:, 0]  # [T]
            # Row 0 of the padded tokens is zero and stands for every padding position.
            self._rows = tf.cumsum(tf.cast(flat, tf.int32)) * tf.cast(flat, tf.int32)

    def pack(self, padded: tf.Tensor) -> tf.Tensor:
        """Takes the items' rows of [B, L, ...]; returns [T, ...]."""
        shape = padded.shape[2:]
        rows = tf.reshape(padded, [-1, *shape])
        return self._gather(rows) if self._skips else rows

    def unpack(self, tokens: tf.Tensor) -> tf.Tensor:
        """Puts [T, ...] back to [B, L, ...], with zeros at the padding."""
        shape = tf.concat([tf.shape(self.is_item), tf.shape(tokens)[1:]], axis=0)
        if self._skips:
            return tf.reshape(self._spread(tokens), shape)
        is_item = tf.cast(self.is_item, tokens.dtype)
        padded = tf.reshape(tokens, shape)
        return padded * tf.reshape(
            is_item, [*tf.unstack(tf.shape(is_item)), *[1] * (padded.shape.rank - 2)]
        )

    # Gathering and spreading are each other's gradient; TensorFlow would scatter-add.
    def _gather(self, rows: tf.Tensor) -> tf.Tensor:
        @tf.custom_gradient
        def gather(rows: tf.Tensor):
            return self._gather_forward(rows), self._spread_forward

        return gather(rows)

    def _spread(self, tokens: tf.Tensor) -> tf.Tensor:
        @tf.custom_gradient
        def spread(tokens: tf.Tensor):
            return self._spread_forward(tokens), self._gather_forward

        return spread(tokens)

    def _gather_forward(self, rows: tf.Tensor) -> tf.Tensor:
        return tf.gather(rows, self._positions)

    def _spread_forward(self, tokens: tf.Tensor) -> tf.Tensor:
        row_zero = [[1, 0], *[[0, 0]] * (tokens.shape.rank - 1)]
        return tf.gather(tf.pad(tokens, row_zero), self._rows)

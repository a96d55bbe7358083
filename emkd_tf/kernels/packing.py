"""Skips padding: keeps the rows of a batch's items and drops all other positions."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.kernels.fusion import fused, rounded_up
from emkd_tf.special_ids import PAD_ID


class Packing:
    """Maps [B, L, ...] to [T, ...], one row for every position that holds an item, and
    back.

    Two thirds of the positions of a batch can be padding; whatever works on one
    position at a time (projections, norms, feed-forward) need not touch them. T counts
    the items plus at least one spare row; spare rows hold finite but meaningless
    values. With `skip_padding` off, T is B * L, shapes are static as XLA needs, and
    the padding positions are the spare rows.

    Args:
        is_item: [B, L] bool.
        skip_padding: leave the padding out.

    Attributes:
        is_row: [T, 1] bool, False at spare rows.
    """

    def __init__(self, is_item: tf.Tensor, *, skip_padding: bool):
        self.is_item = is_item
        self._skips = skip_padding
        flat = tf.reshape(is_item, [-1])
        if not skip_padding:
            self.is_row = flat[:, tf.newaxis]
            return
        items = tf.cast(tf.where(flat)[:, 0], tf.int32)
        count = tf.size(items)
        num_rows = rounded_up(count + 1)
        self._positions = tf.pad(items, [[0, num_rows - count]])
        self.is_row = (tf.range(num_rows) < count)[:, tf.newaxis]
        # The last row is spare and stands for every padding position.
        row = tf.cumsum(tf.cast(flat, tf.int32)) - 1
        self._rows = tf.where(flat, row, num_rows - 1)

    def pack(self, padded: tf.Tensor) -> tf.Tensor:
        """Takes the items' rows of [B, L, ...]; returns [T, ...].

        Its gradient at spare rows must be zero (see `clear_spare`).
        """
        rows = tf.reshape(padded, [-1, *padded.shape[2:]])
        return self._gather(rows) if self._skips else rows

    def pack_ids(self, padded: tf.Tensor) -> tf.Tensor:
        """Takes the items of ids [B, L]; returns [T], PAD_ID at spare rows."""
        return tf.where(self.is_row[:, 0], self.pack(padded), PAD_ID)

    def unpack(self, tokens: tf.Tensor) -> tf.Tensor:
        """Puts [T, ...] back to [B, L, ...]; padding gets the values of a spare row."""
        shape = tf.concat([tf.shape(self.is_item), tf.shape(tokens)[1:]], axis=0)
        return tf.reshape(self._spread(tokens) if self._skips else tokens, shape)

    def last(self, tokens: tf.Tensor) -> tf.Tensor:
        """Takes the rows of [T, ...] that belong to the last column; returns
        [B, ...]."""
        if not self._skips:
            return self.unpack(tokens)[:, -1]
        rows = tf.reshape(self._rows, tf.shape(self.is_item))[:, -1]
        return tf.gather(tokens, rows)

    def to_heads(
        self, tokens: tf.Tensor, num_heads: int, num_parts: int = 1
    ) -> list[tf.Tensor]:
        """Splits [T, parts * d] to parts of [B, heads, L, d / heads] each; padding gets
        the values of a spare row."""
        batch, length = tf.unstack(tf.shape(self.is_item))
        width = tokens.shape[-1] // (num_heads * num_parts)
        if not self._skips:
            shape = [batch, length, num_parts, num_heads, width]
            tokens = tf.transpose(tf.reshape(tokens, shape), [2, 0, 3, 1, 4])
            return tf.unstack(tokens)
        # A single gather of head-sized rows instead of a split, a reordering of rows
        # and a transposition.
        rows = tf.reshape(self._rows, [batch, 1, length]) * num_parts
        heads = tf.range(num_heads)[:, tf.newaxis]
        short = tf.reshape(tokens, [-1, width])
        return [
            tf.gather(short, (rows + part) * num_heads + heads)
            for part in range(num_parts)
        ]

    def from_heads(self, padded: tf.Tensor) -> tf.Tensor:
        """Takes the items' rows of [B, heads, L, d / heads]; returns [T, d].

        Its gradient at spare rows must be zero (see `clear_spare`).
        """
        num_heads, width = padded.shape[1], padded.shape[3]
        if not self._skips:
            padded = tf.transpose(padded, [0, 2, 1, 3])
            return tf.reshape(padded, [-1, num_heads * width])
        return self._from_heads(padded)

    def _from_heads(self, padded: tf.Tensor) -> tf.Tensor:
        @tf.custom_gradient
        def from_heads(padded: tf.Tensor):
            num_heads, width = padded.shape[1], padded.shape[3]
            length = tf.shape(self.is_item)[1]
            sequence, place = self._positions // length, self._positions % length
            row = (sequence * num_heads * length + place)[:, tf.newaxis]
            parts = tf.reshape(padded, [-1, width])
            tokens = tf.gather(parts, row + tf.range(num_heads) * length)

            def gradient(upstream: tf.Tensor) -> tf.Tensor:
                return self.to_heads(upstream, num_heads)[0]

            return tf.reshape(tokens, [-1, num_heads * width]), gradient

        return from_heads(padded)

    # Gathering and spreading are each other's gradient as long as spare rows are zero;
    # TensorFlow would scatter-add.
    def _gather(self, rows: tf.Tensor) -> tf.Tensor:
        @tf.custom_gradient
        def gather(rows: tf.Tensor):
            return tf.gather(rows, self._positions), self._spread

        return gather(rows)

    def _spread(self, tokens: tf.Tensor) -> tf.Tensor:
        @tf.custom_gradient
        def spread(tokens: tf.Tensor):
            return tf.gather(tokens, self._rows), self._gather

        return spread(tokens)


def clear_spare(tokens: tf.Tensor, is_row: tf.Tensor) -> tf.Tensor:
    """Zeroes the spare rows of tokens [T, d], and their gradient."""
    return tf.where(is_row, tokens, tf.zeros([], tokens.dtype))


def _clear_gradient(is_row: tf.Tensor, upstream: tf.Tensor) -> tuple:
    return clear_spare(upstream, is_row), None


@fused(gradient=_clear_gradient, reads=["is_row"])
def clear(tokens: tf.Tensor, is_row: tf.Tensor) -> tf.Tensor:
    """`clear_spare` as one kernel under `fusion`."""
    return clear_spare(tokens, is_row)

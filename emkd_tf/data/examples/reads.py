"""What a batch reads from the histories, by row number."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import tensorflow as tf

from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.histories import left_padded


class Reads(Protocol):
    """Where the data of rows [B] int64 comes from; L is the longest row."""

    def item_ids(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns the rows' items [B, L] int32, left-padded."""

    def users(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns the users [B] int32 that rows are cut from."""

    def training_items(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns everything the rows' users chose in training, [B, S] int32,
        left-padded with PAD_ID; S is the most of any of them."""

    def partners(self, rows: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Returns `SameTarget.partners` [B] int64."""

    def lists(self, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns `TeacherLists.of_rows` [B, L - 1, K]."""


class HostReads:
    """Reads with numpy, from a memory map: a constant would hold all items twice.

    Args:
        items: [actions] int32, all histories.
        examples: of `items`.
    """

    def __init__(self, items: np.ndarray, examples: Examples):
        self._items, self._rows, self._examples = items, examples.rows, examples

    def item_ids(self, rows: tf.Tensor) -> tf.Tensor:
        item_ids = tf.numpy_function(
            lambda numbers: left_padded(
                self._items, *self._rows.bounds(numbers), self._rows.length
            ),
            [rows],
            tf.int32,
            stateful=False,
        )
        item_ids.set_shape([rows.shape[0], self._rows.length])
        return item_ids

    def users(self, rows: tf.Tensor) -> tf.Tensor:
        users = tf.numpy_function(
            self._rows.sequences, [rows], tf.int64, stateful=False
        )
        return tf.cast(tf.ensure_shape(users, rows.shape), tf.int32)

    def training_items(self, rows: tf.Tensor) -> tf.Tensor:
        bounds = self._examples.training_bounds
        assert bounds is not None
        all_starts, all_ends = bounds

        def of_users(rows: np.ndarray) -> np.ndarray:
            users = self._rows.sequences(rows)
            starts, ends = all_starts[users], all_ends[users]
            return left_padded(self._items, starts, ends, int((ends - starts).max()))

        items = tf.numpy_function(of_users, [rows], tf.int32, stateful=False)
        return tf.ensure_shape(items, [rows.shape[0], None])

    def partners(self, rows: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        same_target = self._examples.same_target
        assert same_target is not None
        partners = tf.numpy_function(
            same_target.partners, [rows, draws], tf.int64, stateful=False
        )
        return tf.ensure_shape(partners, rows.shape)

    def lists(self, rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        teacher = self._examples.lists
        assert teacher is not None
        items, scores = tf.numpy_function(
            lambda numbers: teacher.of_rows(self._rows, numbers),
            [rows],
            (tf.int32, tf.float32),
            stateful=False,
        )
        shape = [rows.shape[0], self._rows.length - 1, teacher.items.shape[1]]
        return tf.ensure_shape(items, shape), tf.ensure_shape(scores, shape)

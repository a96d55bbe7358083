"""Segments: a span of a row, the rest of the row, and a span from elsewhere."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import tensorflow as tf

from emkd_tf.data.examples.transform import SEGMENTS, Transform
from emkd_tf.special_ids import PAD_ID, mask_id


class Segments(Transform):
    """Cuts a span of 1 to n // 2 from n items, all lengths and places equally likely.
    Adds, all [B, L] int32 with the mask token in place of what is left out,

    - "context": the row without the span,
    - "segment": the span in its place, without the rest,
    - "other_segment": in its place, as many consecutive items from the training parts
      of all histories laid end to end.

    A row of one item has no span: all three equal the row.

    Args:
        items: [actions] int32, all histories, as a memory map or an array.
        starts, ends: [sequences] int64, bounds in `items` of the training parts.
        num_items: V.

    Source: Zhou et al. 2020 (S3-Rec), the authors' release. Departure: other segments
    contain no held-out actions of validation and test.
    """

    use: ClassVar[int] = SEGMENTS

    def __init__(
        self, items: np.ndarray, starts: np.ndarray, ends: np.ndarray, num_items: int
    ):
        self._items, self._starts = items, starts
        self._num_items, self._mask = num_items, mask_id(num_items)
        # Where each training part begins when all are laid end to end.
        self._firsts = np.concatenate([[0], np.cumsum(ends - starts)])
        self._count = int(self._firsts[-1])

    def draw(self, seed: tf.Tensor) -> tf.Tensor:
        """Draws [3] float64, uniform in [0, 1): for the length, the place, and the
        place among the items of all histories."""
        return tf.random.stateless_uniform([3], seed, dtype=tf.float64)

    def __call__(
        self, batch: dict[str, tf.Tensor], draws: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        item_ids = batch["item_ids"]
        is_item, columns = item_ids != PAD_ID, tf.shape(item_ids)[1]
        sizes = tf.reduce_sum(tf.cast(is_item, tf.int32), axis=1)  # n
        of_length, of_place, of_other = tf.unstack(draws, axis=1)
        lengths = 1 + _below(sizes // 2, of_length)
        first = columns - sizes + _below(sizes - lengths + 1, of_place)
        starts = self._count + 1 - tf.cast(lengths, tf.int64)
        other = _below(starts, of_other)

        place = tf.range(columns) - first[:, tf.newaxis]  # in the span, from 0
        is_inside = (place >= 0) & (place < lengths[:, tf.newaxis])
        others = self._items_at(other[:, tf.newaxis] + tf.cast(place, tf.int64))
        has_span = (sizes > 1)[:, tf.newaxis]

        def masked(is_kept: tf.Tensor, items: tf.Tensor) -> tf.Tensor:
            items = tf.where(is_kept, items, self._mask)
            return tf.where(is_item & has_span, items, item_ids)

        return {
            **batch,
            "context": masked(~is_inside, item_ids),
            "segment": masked(is_inside, item_ids),
            "other_segment": masked(is_inside, others),
        }

    def _items_at(self, places: tf.Tensor) -> tf.Tensor:
        """Takes items from the training parts laid end to end; places beyond the ends
        give an arbitrary item."""

        def of_places(places: np.ndarray) -> np.ndarray:
            places = np.clip(places, 0, self._count - 1)
            part = np.searchsorted(self._firsts, places, side="right") - 1
            return self._items[self._starts[part] + places - self._firsts[part]]

        # With numpy, from the memory map: a constant would hold all items again.
        items = tf.numpy_function(of_places, [places], tf.int32, stateful=False)
        return tf.ensure_shape(items, places.shape)

    def on_device(self) -> Transform:
        spans = zip(self._starts, np.diff(self._firsts), strict=True)
        parts = [self._items[start : start + size] for start, size in spans]
        return _SegmentsOnDevice(np.concatenate(parts), self._num_items)


class _SegmentsOnDevice(Segments):
    """`Segments` from the training parts [actions] int32 laid end to end, held as a
    constant of the program."""

    def __init__(self, items: np.ndarray, num_items: int):
        super().__init__(items, np.array([0]), np.array([len(items)]), num_items)

    def _items_at(self, places: tf.Tensor) -> tf.Tensor:
        places = tf.clip_by_value(places, 0, self._count - 1)
        return tf.gather(tf.constant(self._items), places)


def _below(bounds: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """Turns [n] uniform in [0, 1) into whole numbers from 0 to below [n] bounds."""
    scaled = tf.cast(bounds, uniform.dtype) * uniform
    return tf.cast(tf.floor(scaled), bounds.dtype)

"""Augmented views of a sequence: cropped, masked or reordered."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import tensorflow as tf

from emkd_tf.data.examples.transform import AUGMENTATIONS, Transform
from emkd_tf.special_ids import PAD_ID, mask_id

_NUM_OPERATORS = 3
_ROUNDING = 1e-9  # 0.29 of 100 items are 29, but slightly less in floating point


@dataclasses.dataclass(frozen=True)
class Augmentations(Transform):
    """Adds "views" [B, 2, L] int32: two copies of "item_ids", changed by two different
    operators drawn for each example.

    Sequences of one item stay unchanged.

    Args:
        num_items: V.
        length: L.
        crop_share: share of the items that a crop keeps, in (0, 1].
        mask_share: share of the items that are masked, in [0, 1].
        reorder_share: share of the items that are shuffled, in [0, 1].

    Source: Xie et al. 2022 (CL4SRec), section 3.2. Departure: the two operators differ,
    as in the release of DuoRec.
    """

    num_items: int
    length: int
    crop_share: float
    mask_share: float
    reorder_share: float

    use: ClassVar[int] = AUGMENTATIONS

    def draw(self, seed: tf.Tensor) -> tf.Tensor:
        """Draws [2, 2 + L] float32 in [0, 1): for each view the operator, the place and
        the items' keys."""
        return tf.random.stateless_uniform([2, 2 + self.length], seed)

    def __call__(
        self, batch: dict[str, tf.Tensor], draws: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        item_ids = batch["item_ids"]
        views = [
            self._view(item_ids, operator, draws[:, number])
            for number, operator in enumerate(_two_operators(draws[:, :, 0]))
        ]
        return {**batch, "views": tf.stack(views, axis=1)}

    def _view(
        self, item_ids: tf.Tensor, operator: tf.Tensor, draws: tf.Tensor
    ) -> tf.Tensor:
        place, keys = draws[:, 1], draws[:, 2:]
        cropped = crop(item_ids, place, self.crop_share)
        masked = mask(item_ids, keys, self.mask_share, mask_id(self.num_items))
        reordered = reorder(item_ids, place, keys, self.reorder_share)
        # By operator number; computing all three costs less than a branch.
        choices = tf.stack([cropped, masked, reordered], axis=1)
        chosen = tf.gather(choices, operator, axis=1, batch_dims=1)
        return tf.where(_lengths(item_ids) > 1, chosen, item_ids)


def crop(item_ids: tf.Tensor, place: tf.Tensor, share: float) -> tf.Tensor:
    """Keeps a run of max(1, floor(share n)) items, left-padded.

    Args:
        item_ids: [B, L] int32, left-padded with PAD_ID, n items per row.
        place: [B] float in [0, 1), which run.
        share: in (0, 1].

    Returns:
        [B, L] int32.
    """
    length = item_ids.shape[1]
    count = tf.maximum(_counts(item_ids, share), 1)
    first = _first_of_run(item_ids, count, place)
    columns = tf.range(length)[tf.newaxis, :]
    source = columns - (length - count) + first
    is_kept = (columns >= length - count) & (_lengths(item_ids) > 0)
    items = tf.gather(item_ids, tf.clip_by_value(source, 0, length - 1), batch_dims=1)
    return tf.where(is_kept, items, PAD_ID)


def mask(item_ids: tf.Tensor, keys: tf.Tensor, share: float, mask_id: int) -> tf.Tensor:
    """Masks the floor(share n) items with the lowest keys.

    Args:
        item_ids: [B, L] int32, left-padded with PAD_ID, n items per row.
        keys: [B, L] float in [0, 1).
        share: in [0, 1].
        mask_id: replaces masked items.

    Returns:
        [B, L] int32.
    """
    keys = tf.where(item_ids != PAD_ID, keys, 2.0)
    ranks = tf.argsort(tf.argsort(keys, stable=True))
    return tf.where(ranks < _counts(item_ids, share), mask_id, item_ids)


def reorder(
    item_ids: tf.Tensor, place: tf.Tensor, keys: tf.Tensor, share: float
) -> tf.Tensor:
    """Sorts a run of floor(share n) items by their keys.

    Args:
        item_ids: [B, L] int32, left-padded with PAD_ID, n items per row.
        place: [B] float in [0, 1), which run.
        keys: [B, L] float in [0, 1).
        share: in [0, 1].

    Returns:
        [B, L] int32.
    """
    count = _counts(item_ids, share)
    first = _first_of_run(item_ids, count, place)
    columns = tf.range(item_ids.shape[1])[tf.newaxis, :]
    is_moved = (columns >= first) & (columns < first + count)
    first, count = tf.cast(first, tf.float32), tf.cast(count, tf.float32)
    # Between the column before the run and the one after it.
    inside = first - 0.5 + count * keys
    order = tf.where(is_moved, inside, tf.cast(columns, tf.float32))
    return tf.gather(item_ids, tf.argsort(order, stable=True), batch_dims=1)


def _two_operators(draws: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Two different operator numbers [B] from draws [B, 2]."""
    first = tf.cast(draws[:, 0] * _NUM_OPERATORS, tf.int32)
    others = tf.cast(draws[:, 1] * (_NUM_OPERATORS - 1), tf.int32)
    return first, (first + 1 + others) % _NUM_OPERATORS


def _lengths(item_ids: tf.Tensor) -> tf.Tensor:
    """n [B, 1] int32."""
    is_item = tf.cast(item_ids != PAD_ID, tf.int32)
    return tf.reduce_sum(is_item, axis=1, keepdims=True)


def _counts(item_ids: tf.Tensor, share: float) -> tf.Tensor:
    """floor(share n) [B, 1] int32."""
    of_length = np.floor(share * np.arange(item_ids.shape[1] + 1) + _ROUNDING)
    return tf.gather(of_length.astype(np.int32), _lengths(item_ids))


def _first_of_run(item_ids: tf.Tensor, count: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
    """The first column [B, 1] of a run of items, uniform over all runs."""
    num_items = _lengths(item_ids)
    num_runs = num_items - count + 1
    start = place[:, tf.newaxis] * tf.cast(num_runs, tf.float32)
    start = tf.minimum(tf.cast(start, tf.int32), num_runs - 1)
    return item_ids.shape[1] - num_items + start

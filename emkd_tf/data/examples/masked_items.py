"""One masked view of a sequence, with an exact number of hidden items."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import tensorflow as tf

from emkd_tf.data.examples.transform import CLOZE, Transform
from emkd_tf.special_ids import PAD_ID, mask_id


@dataclasses.dataclass(frozen=True)
class MaskedItems(Transform):
    """Adds "views" [B, 1, L] int32, in which the mask token replaces the hidden items,
    and "labels" [B, 1, L] int32: these items, PAD_ID elsewhere.

    Of n items max(1, round(share * n)) are hidden, or in some examples only the last,
    as in a query.

    Args:
        num_items: V.
        length: L.
        share: of a sequence's items, in (0, 1).
        last_only_share: probability that an example only hides its last item.

    Source: Sun et al. 2019 (BERT4Rec), section 3.6, and the authors' release for the
    number. Departure: drawn anew for every pass, while the release draws ten times.
    """

    num_items: int
    length: int
    share: float
    last_only_share: float = 0.0

    use: ClassVar[int] = CLOZE

    @property
    def most(self) -> int:
        """The largest number of items that an example hides."""
        return max(1, round(float(np.float32(self.share) * np.float32(self.length))))

    def draw(self, seed: tf.Tensor) -> tf.Tensor:
        """Draws [L + 1] float32, uniform in [0, 1): the order in which items are
        hidden, and whether only the last one is."""
        return tf.random.stateless_uniform([self.length + 1], seed)

    def __call__(
        self, batch: dict[str, tf.Tensor], draws: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        item_ids = batch["item_ids"]
        order, last_only = draws[:, :-1], draws[:, -1:] < self.last_only_share
        is_item = item_ids != PAD_ID
        count = tf.reduce_sum(tf.cast(is_item, tf.float32), axis=1, keepdims=True)
        count = tf.maximum(tf.cast(tf.round(self.share * count), tf.int32), 1)
        order = tf.where(is_item, order, 2.0)  # padding comes last
        place_in_order = tf.argsort(tf.argsort(order, axis=1), axis=1)
        is_last = tf.range(self.length) == self.length - 1
        is_hidden = tf.where(last_only, is_last, place_in_order < count) & is_item
        views = tf.where(is_hidden, mask_id(self.num_items), item_ids)
        labels = tf.where(is_hidden, item_ids, PAD_ID)
        return {**batch, "views": views[:, None], "labels": labels[:, None]}

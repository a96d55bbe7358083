"""Hidden items: the mask token replaces some items of a row."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import tensorflow as tf

from emkd_tf.data.examples.transform import HIDDEN, Transform
from emkd_tf.special_ids import PAD_ID, mask_id


@dataclasses.dataclass(frozen=True)
class HideItems(Transform):
    """Adds "hidden" [B, L] int32, the rows with the mask token in place of the last
    item and, with some probability, of each other item; and "labels" [B, L] int32, the
    hidden items, PAD_ID elsewhere.

    Args:
        num_items: V.
        length: L.
        mask_probability: probability that an item before the last is hidden, in (0, 1).

    Source: Zhou et al. 2020 (S3-Rec), the authors' release. Departure: none.
    """

    num_items: int
    length: int
    mask_probability: float

    use: ClassVar[int] = HIDDEN

    def draw(self, seed: tf.Tensor) -> tf.Tensor:
        """Draws [L] float32, uniform in [0, 1)."""
        return tf.random.stateless_uniform([self.length], seed)

    def __call__(
        self, batch: dict[str, tf.Tensor], draws: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        item_ids = batch["item_ids"]
        is_last = tf.range(self.length) == self.length - 1
        is_chosen = (draws < self.mask_probability) | is_last
        is_hidden = is_chosen & (item_ids != PAD_ID)
        return {
            **batch,
            "hidden": tf.where(is_hidden, mask_id(self.num_items), item_ids),
            "labels": tf.where(is_hidden, item_ids, PAD_ID),
        }

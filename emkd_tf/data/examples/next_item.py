"""Next items: for every place of a history, the item that came after it."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from emkd_tf.data.examples.transform import Transform
from emkd_tf.special_ids import PAD_ID


@dataclasses.dataclass(frozen=True)
class NextItem(Transform):
    """Turns rows [B, L + 1] into "item_ids" [B, L], all items but the last, and
    "labels" [B, L], the items one place later; PAD_ID where there is padding.

    Args:
        only_last: label only the last place, for rows that are prefixes.

    Source: Kang and McAuley 2018, section 3.1. Departure: none.
    """

    only_last: bool = False

    def __call__(
        self, batch: dict[str, tf.Tensor], draws: tuple[()]
    ) -> dict[str, tf.Tensor]:
        rows = batch["item_ids"]
        item_ids, labels = rows[:, :-1], rows[:, 1:]
        is_labelled = item_ids != PAD_ID
        if self.only_last:
            is_last = tf.range(tf.shape(labels)[1]) == tf.shape(labels)[1] - 1
            is_labelled &= is_last
        labels = tf.where(is_labelled, labels, PAD_ID)
        return {**batch, "item_ids": item_ids, "labels": labels}

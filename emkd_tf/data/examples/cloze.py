"""Masked views of a sequence, from random numbers drawn beforehand."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import tensorflow as tf

from emkd_tf.data.examples.transform import CLOZE, Transform
from emkd_tf.special_ids import PAD_ID, mask_id

MASKED, REPLACED = 0.8, 0.1  # of the chosen items; the rest stay as they are


@dataclasses.dataclass(frozen=True)
class Cloze(Transform):
    """Adds "views" and "labels" [B, M, L] int32 of `mask_items`.

    Args:
        num_items: V.
        length: L.
        num_views: M.
        mask_probability: probability that an item is chosen, in (0, 1).
        at_least_one: see `mask_items`.
    """

    num_items: int
    length: int
    num_views: int
    mask_probability: float
    at_least_one: bool = False

    use: ClassVar[int] = CLOZE

    def draw(self, seed: tf.Tensor) -> tf.Tensor:
        """Draws the random numbers of one example's views.

        Returns:
            [M, 3, L] float32, uniform in [0, 1): whether to choose an item, what to do
            with it, and which item to replace it by.
        """
        return tf.random.stateless_uniform([self.num_views, 3, self.length], seed)

    def __call__(
        self, batch: dict[str, tf.Tensor], draws: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        views, labels = mask_items(
            batch["item_ids"],
            draws,
            num_items=self.num_items,
            mask_probability=self.mask_probability,
            at_least_one=self.at_least_one,
        )
        return {**batch, "views": views, "labels": labels}


def mask_items(
    item_ids: tf.Tensor,
    draws: tf.Tensor,
    *,
    num_items: int,
    mask_probability: float,
    at_least_one: bool = False,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Hides random items of sequences, differently in every view.

    Args:
        item_ids: [..., L] int32, left-padded with PAD_ID, which is never chosen.
        draws: [..., M, 3, L] float32 of `Cloze.draw`.
        num_items: V.
        mask_probability: probability that an item is chosen, in (0, 1).
        at_least_one: if no item is chosen, choose the one with the lowest draw.

    Returns:
        Views [..., M, L] int32, in which 80 % of the chosen items are the mask token,
        10 % a uniformly random item and 10 % unchanged; and labels [..., M, L] int32:
        the original item where one is chosen, PAD_ID elsewhere.

    Source: Devlin et al. 2019 (BERT, masking); Du et al. 2023 (views). Departure:
    none (`at_least_one` is an option).
    """
    choice, action, replacement = tf.unstack(draws, axis=-2)  # each [..., M, L]
    item_ids = tf.broadcast_to(item_ids[..., tf.newaxis, :], tf.shape(choice))
    is_item = item_ids != PAD_ID
    is_chosen = is_item & (choice < mask_probability)
    if at_least_one:
        priority = tf.where(is_item, choice, 2.0)
        is_lowest = priority == tf.reduce_min(priority, axis=-1, keepdims=True)
        is_chosen |= is_item & is_lowest
    random_items = 1 + tf.cast(replacement * num_items, tf.int32)
    hidden = tf.where(action < MASKED + REPLACED, random_items, item_ids)
    hidden = tf.where(action < MASKED, mask_id(num_items), hidden)
    views = tf.where(is_chosen, hidden, item_ids)
    labels = tf.where(is_chosen, item_ids, PAD_ID)
    return views, labels

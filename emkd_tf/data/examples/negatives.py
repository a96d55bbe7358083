"""Negatives: items drawn for each position, other than its right one."""

from __future__ import annotations

import dataclasses
from typing import ClassVar, Literal

import tensorflow as tf

from emkd_tf.data.examples.transform import NEGATIVES, Transform
from emkd_tf.special_ids import PAD_ID


@dataclasses.dataclass(frozen=True)
class Negatives(Transform):
    """Adds "negatives" [B, L, k] int32, or [B, M, L, k] with views: uniform items, none
    of which is the position's label. It must follow the transform that adds "labels".

    Args:
        num_items: V, more than the items that are left out.
        count: k, drawn with replacement.
        length: L.
        num_views: M for "labels" [B, M, L]; None for [B, L].
        outside: what is left out: the position's "label"; all of the "row", including
            its labels; or everything its "user" chose in training, including the row,
            which takes "training_items" [B, S] int32 out of the batch.

    Source: Kang and McAuley 2018, section 3.6. Departure: none with "user".
    """

    num_items: int
    count: int
    length: int
    num_views: int | None = None
    outside: Literal["label", "row", "user"] = "label"

    use: ClassVar[int] = NEGATIVES

    def draw(self, seed: tf.Tensor) -> tf.Tensor:
        """Draws [L, k] or [M, L, k] int32, uniform over all nonnegative numbers."""
        views = [] if self.num_views is None else [self.num_views]
        return tf.random.stateless_uniform(
            [*views, self.length, self.count],
            seed,
            minval=0,
            maxval=tf.int32.max,
            dtype=tf.int32,
        )

    def __call__(
        self, batch: dict[str, tf.Tensor], draws: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        labels, shape = batch["labels"], tf.shape(draws)
        if self.outside == "label":
            left_out = tf.reshape(labels, [-1, 1])
        elif self.outside == "row":
            every_label = tf.reshape(labels, [shape[0], -1])
            left_out = tf.concat([batch["item_ids"], every_label], axis=1)
        else:
            batch = dict(batch)
            left_out = batch.pop("training_items")
        draws_of = tf.reshape(draws, [tf.shape(left_out)[0], -1])
        negatives = items_outside(left_out, draws_of, self.num_items)
        negatives = tf.ensure_shape(tf.reshape(negatives, shape), draws.shape)
        return {**batch, "negatives": negatives}


def items_outside(left_out: tf.Tensor, draws: tf.Tensor, num_items: int) -> tf.Tensor:
    """Turns random numbers into items that are not in a set.

    Args:
        left_out: [n, s] int32, the items of each set, in any order and possibly
            repeated; PAD_ID is ignored.
        draws: [n, m] int32, uniform from 0 to the largest int32.
        num_items: V. A set of all items leaves nothing to draw and gives item V.

    Returns:
        [n, m] int32, uniform over the items 1..V outside the set.
    """
    none = num_items + 1  # after all items
    found = tf.sort(tf.where(left_out == PAD_ID, none, left_out), axis=1)
    is_again = found[:, 1:] == found[:, :-1]
    others = tf.where(is_again, none, found[:, 1:])
    found = tf.sort(tf.concat([found[:, :1], others], axis=1), axis=1)
    sizes = tf.reduce_sum(tf.cast(found < none, tf.int32), axis=1, keepdims=True)
    places = draws % tf.maximum(num_items - sizes, 1)  # among the items outside
    # How many outside items precede each item of the set.
    before = found - 1 - tf.range(tf.shape(found)[1])
    before = tf.where(found < none, before, none)
    passed = tf.searchsorted(before, places, side="right")
    return tf.minimum(1 + places + passed, num_items)

"""Objectives as this replica's share of means over the global batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf

from emkd_tf.kernels.positions import chosen_positions
from emkd_tf.models.attribute_head import AttributeHead
from emkd_tf.models.item_loss import ItemLoss, ItemSums, drawn_of
from emkd_tf.models.replicas import global_rows, global_sum
from emkd_tf.models.tower import Tower
from emkd_tf.objectives.attribute import attribute_loss, multi_hot
from emkd_tf.objectives.contrastive import contrastive_losses, nt_xent_loss
from emkd_tf.special_ids import PAD_ID


class States(NamedTuple):
    """A network's states for a batch: `anchors` [B, L, d] of the sequences, `views`
    [B, M, L, d] of their views."""

    anchors: tf.Tensor
    views: tf.Tensor


def as_rows(states: tf.Tensor) -> tf.Tensor:
    """Reshapes [..., d] to [n, d]."""
    return tf.reshape(states, [-1, states.shape[-1]])


def masked_item_sums(
    item_loss: ItemLoss,
    towers: Sequence[Tower],
    states: Sequence[tf.Tensor],
    batch: Mapping[str, tf.Tensor],
    capacity: int | None,
) -> ItemSums:
    """The item loss and the distillation at the positions that have a label: averaged
    over the positions of a view, summed over views.

    Args:
        item_loss: of the positions' items.
        towers: N.
        states: N tensors [B, M, L, d] of the views.
        batch: "labels" [B, M, L] int32, and what the item loss needs.
        capacity: see `chosen_positions`.
    """
    labels = batch["labels"]
    num_views, length = labels.shape[1:]
    flat_labels = tf.reshape(labels, [-1])
    positions, is_used = chosen_positions(flat_labels, capacity)
    targets = tf.where(is_used, tf.gather(flat_labels, positions), PAD_ID)

    view = positions // length % num_views
    counts = global_sum(tf.math.count_nonzero(labels, axis=[0, 2], dtype=tf.float32))
    weights = tf.gather(tf.math.reciprocal_no_nan(counts), view)
    weights *= tf.cast(is_used, tf.float32)  # [P]

    chosen = [tf.gather(as_rows(of_tower), positions) for of_tower in states]
    drawn = drawn_of(batch, lambda each: tf.gather(as_rows(each), positions))
    return item_loss(towers, chosen, targets, weights, drawn)


def attribute_shares(
    heads: Sequence[AttributeHead],
    states: Sequence[tf.Tensor],
    item_ids: tf.Tensor,
    attribute_ids: tf.Tensor,
    static_shapes: bool,
) -> tf.Tensor:
    """AP of each network [N], averaged over the sequences' items.

    Args:
        heads: N.
        states: N tensors [B, L, d].
        item_ids: [B, L] int32.
        attribute_ids: [V + 2, K] int32, see `objectives.attribute.multi_hot`.
        static_shapes: see `Compute`.
    """
    items = tf.reshape(item_ids, [-1])
    count = global_sum(tf.math.count_nonzero(items, dtype=tf.float32))
    capacity = items.shape[0] if static_shapes else None
    positions, is_used = chosen_positions(items, capacity)
    items = tf.where(is_used, tf.gather(items, positions), PAD_ID)
    weights = tf.cast(items != PAD_ID, tf.float32) * tf.math.reciprocal_no_nan(count)
    at_items = [tf.gather(as_rows(of_network), positions) for of_network in states]
    return attribute_sums(heads, at_items, items, weights, attribute_ids)


def attribute_sums(
    heads: Sequence[AttributeHead],
    states: Sequence[tf.Tensor],
    items: tf.Tensor,
    weights: tf.Tensor,
    attribute_ids: tf.Tensor,
) -> tf.Tensor:
    """AP of each network [N], as a weighted sum over some positions.

    Args:
        heads: N.
        states: N tensors [P, d].
        items: [P] int32, the items whose attributes are predicted.
        weights: [P] float.
        attribute_ids: [V + 2, K] int32, see `objectives.attribute.multi_hot`.
    """
    num_attributes = heads[0].bias.shape[0]
    has_attribute = multi_hot(tf.gather(attribute_ids, items), num_attributes)
    losses = [
        attribute_loss(head(of_network), has_attribute)
        for head, of_network in zip(heads, states, strict=True)
    ]
    return tf.stack([tf.reduce_sum(weights * loss) for loss in losses])


def contrast_shares(
    states: Sequence[States], row: tf.Tensor, *, temperature: float, self_term: bool
) -> dict[str, tf.Tensor]:
    """ICL [N] and CCL of N networks' states; `row` [B] holds the numbers of the
    sequences."""
    is_self = _is_self(row)
    width = states[0].anchors.shape[1] * states[0].anchors.shape[2]  # L * d
    anchors = [tf.reshape(s.anchors, [-1, width]) for s in states]
    losses = contrastive_losses(
        anchors,
        [tf.reshape(s.views, [-1, s.views.shape[1], width]) for s in states],
        [global_rows(a) for a in anchors],
        is_self,
        temperature=temperature,
        self_term=self_term,
    )
    shares = tf.reduce_sum(losses, axis=-1) / tf.cast(tf.shape(is_self)[1], tf.float32)
    intra = tf.linalg.diag_part(shares)
    return {"icl": intra, "ccl": tf.reduce_sum(shares) - tf.reduce_sum(intra)}


def view_contrast_share(
    views: tuple[tf.Tensor, tf.Tensor],
    row: tf.Tensor,
    *,
    temperature: float,
    cosine: bool = False,
) -> tf.Tensor:
    """NT-Xent of two views [B, d] of each sequence, averaged over sequences; `row` [B]
    holds their numbers."""
    is_self = _is_self(row)
    losses = nt_xent_loss(
        views,
        tuple(global_rows(view) for view in views),
        is_self,
        temperature=temperature,
        cosine=cosine,
    )
    return tf.reduce_sum(losses) / tf.cast(tf.shape(is_self)[1], tf.float32)


def _is_self(row: tf.Tensor) -> tf.Tensor:
    """[B, C]: the negatives are all sequences of the global batch, on any replica,
    except the anchor's own, however often the batch contains it."""
    return row[:, tf.newaxis] == global_rows(row)[tf.newaxis, :]

"""The first stage of S3-Rec: relates items, attributes and segments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.examples.hide import HideItems
from emkd_tf.data.examples.negatives import Negatives
from emkd_tf.data.examples.rows import Prefix
from emkd_tf.data.examples.segments import Segments
from emkd_tf.data.histories import Histories
from emkd_tf.kernels.dropout import derived_seed
from emkd_tf.models.from_config import (
    attributes_of,
    make_towers,
    network_seeds,
    training_options,
)
from emkd_tf.models.pretraining_head import PretrainingHead
from emkd_tf.models.recommender import Recommender
from emkd_tf.models.tower import Tower
from emkd_tf.objectives.attribute import attribute_loss, multi_hot
from emkd_tf.objectives.negatives import bounded_pairwise_ranking
from emkd_tf.special_ids import PAD_ID

# MIP, SP, AAP and MAP of the paper.
WEIGHTS = {"masked_item": 1, "segment": 0.5, "attribute": 0.2, "masked_attribute": 1}


class S3RecPretraining(Recommender):
    """The first stage: bidirectional networks relate items to their attributes (AAP),
    hidden items to their context (MIP), the context to their attributes (MAP), and
    segments to the rest of their rows (SP).

    Args:
        towers: N, bidirectional, otherwise as in `S3Rec`.
        attribute_ids: [V + 2, K] int32, each item's attributes, numbered from 1.
        num_attributes: A; 0 for no AAP and MAP.
        batch_size: B, of the global batch.
        options: of `Recommender`.

    Source: Zhou et al. 2020, section 4.2, and the authors' release for the sums over
    places and attributes, the pairwise losses of sigmoids and the rows. Departure: the
    release's batches have 100 rows; here sums are divided by B, whatever it is.
    """

    def __init__(
        self,
        towers: Sequence[Tower],
        *,
        attribute_ids: np.ndarray,
        num_attributes: int,
        batch_size: int,
        **options,
    ):
        terms = list(WEIGHTS)[: None if num_attributes else 2]
        super().__init__(towers, terms=terms, network_terms=terms, **options)
        self._attribute_ids = tf.constant(attribute_ids, tf.int32)
        self._num_attributes, self._batch_size = num_attributes, batch_size
        seeds = network_seeds(self.seed, len(towers))
        self.heads = [
            PretrainingHead(tower.width, terms, num_attributes, seed)
            for tower, seed in zip(self.towers, seeds, strict=True)
        ]

    @classmethod
    def create(cls, config: Config, histories: Histories) -> S3RecPretraining:
        """Builds the stage's model of a config for a dataset."""
        attributes = attributes_of(histories)
        if not config.objective.attribute_prediction:
            attributes["num_attributes"] = 0
        return cls(
            make_towers(config, histories, "post_norm"),
            **attributes,
            batch_size=config.training.batch_size,
            **training_options(config),
        )

    @classmethod
    def examples(cls, config: Config, histories: Histories) -> Examples:
        """Every prefix of a history's newest L items."""
        num_items, length = histories.num_items, config.data.max_length
        starts, ends = histories.training_bounds()
        newest = np.maximum(starts, ends - length)
        transforms = [
            HideItems(num_items, length, config.objective.mask_probability),
            Negatives(num_items, 1, length, outside="row"),
            Segments(histories.items, starts, ends, num_items),
        ]
        return Examples(Prefix(newest, ends, length - 1, shortest=1), transforms)

    def compute_losses(
        self, batch: dict[str, tf.Tensor], dropout_seed: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """See `Recommender.compute_losses`; terms are summed over places and attributes
        and averaged over rows.

        Args:
            batch: "item_ids", "hidden", "labels", "context", "segment" and
                "other_segment" [B, L] int32, "negatives" [B, L, 1] int32.
            dropout_seed: [2] int32, or None for no dropout.
        """
        of_towers = []
        for number, pair in enumerate(zip(self.towers, self.heads, strict=True)):
            seeds = [derived_seed(dropout_seed, 2 * number + i) for i in range(2)]
            sums = self._at_places(*pair, batch, seeds[0])
            sums["segment"] = _segment_sum(*pair, batch, seeds[1])
            of_towers.append(sums)
        losses = {
            name: tf.stack([sums[name] for sums in of_towers]) / self._batch_size
            for name in of_towers[0]
        }
        weighted = [WEIGHTS[name] * tf.reduce_sum(x) for name, x in losses.items()]
        return self.named({**losses, "total": tf.add_n(weighted)})

    def _at_places(
        self,
        tower: Tower,
        head: PretrainingHead,
        batch: dict[str, tf.Tensor],
        dropout_seed: tf.Tensor | None,
    ) -> dict[str, tf.Tensor]:
        """Sums MIP, AAP and MAP over the places of all rows."""
        states, packing = tower.encode(batch["hidden"], dropout_seed)
        item_ids = packing.pack_ids(batch["item_ids"])  # [T]
        labels = packing.pack_ids(batch["labels"])
        is_hidden = labels != PAD_ID
        is_shown = (item_ids != PAD_ID) & ~is_hidden

        negatives = packing.pack(batch["negatives"])
        pairs = tf.concat([labels[:, tf.newaxis], negatives], axis=1)
        rows = tower.item_rows(pairs)  # [T, 2, d]
        logits = tf.linalg.matvec(rows, head.maps["masked_item"](states))
        losses = bounded_pairwise_ranking(logits)
        terms = {"masked_item": _sum_where(is_hidden, losses)}
        if head.attributes is None:
            return terms

        mapped = tf.where(
            is_hidden[:, tf.newaxis],
            head.maps["masked_attribute"](states),
            head.maps["attribute"](states),
        )
        logits = tf.matmul(mapped, head.attributes, transpose_b=True)
        of_items = tf.gather(self._attribute_ids, item_ids)
        has_attribute = multi_hot(of_items, self._num_attributes)
        losses = self._num_attributes * attribute_loss(logits, has_attribute)
        terms["attribute"] = _sum_where(is_shown, losses)
        terms["masked_attribute"] = _sum_where(is_hidden, losses)
        return terms


def _segment_sum(
    tower: Tower,
    head: PretrainingHead,
    batch: dict[str, tf.Tensor],
    dropout_seed: tf.Tensor | None,
) -> tf.Tensor:
    """Sums SP over the rows: last states of contexts against those of segments."""
    names = ("context", "segment", "other_segment")
    rows = tf.concat([batch[name] for name in names], axis=0)
    states, _ = tower.encode(rows, dropout_seed, last_only=True)
    context, segment, other = tf.split(states, 3)
    segments = tf.stack([segment, other], axis=1)  # [B, 2, d]
    logits = tf.linalg.matvec(segments, head.maps["segment"](context))
    return tf.reduce_sum(bounded_pairwise_ranking(logits))


def _sum_where(is_counted: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.where(is_counted, values, tf.zeros_like(values)))

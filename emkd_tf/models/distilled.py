"""One network that learns from the lists of a finished model, such as an ensemble."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.data.histories import Histories
from emkd_tf.errors import InputError
from emkd_tf.kernels.packing import Packing
from emkd_tf.models.item_loss import item_logits
from emkd_tf.models.next_item import NextItemModel
from emkd_tf.objectives.distillation import list_distillation_loss
from emkd_tf.objectives.next_item import place_weights
from emkd_tf.special_ids import PAD_ID


class Distilled(NextItemModel):
    """Total = next item + teacher_weight * KL of the teacher's lists.

    Batches without lists are learned from as in any next item model.

    Args:
        teacher_weight: of the lists.
        teacher_temperature: of the softmax over a list.
        options: of `NextItemModel`.

    Source: Hinton et al. 2015; Tang and Wang 2018 (ranking distillation), for lists
    instead of all items. Departure: the distribution over the list, not only its order.
    """

    def __init__(
        self, *args, teacher_weight: float, teacher_temperature: float, **options
    ):
        own = ["teacher"]
        super().__init__(*args, terms=own, network_terms=own, **options)
        self._teacher_weight = teacher_weight
        self._teacher_temperature = teacher_temperature

    @classmethod
    def arguments(cls, config: Config, histories: Histories) -> dict[str, Any]:
        return {
            **super().arguments(config, histories),
            "teacher_weight": config.objective.distillation_weight,
            "teacher_temperature": config.objective.temperature,
        }

    @classmethod
    def check(cls, config: Config, histories: Histories) -> None:
        if config.objective.distill is None:
            raise InputError("`model` distilled needs --distill RUN, a finished run.")

    def compute_losses(
        self, batch: dict[str, tf.Tensor], dropout_seed: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """See `Recommender.compute_losses`.

        Args:
            batch: as in `NextItemModel`; "list_items" [B, L, K] int32, PAD_ID where
                there is no list, and "list_scores" [B, L, K] float.
            dropout_seed: [2] int32, or None for no dropout.
        """
        states, packing = self.encode(batch["item_ids"], dropout_seed)
        sums = self.next_item_sums(states, packing, batch)
        teacher = tf.zeros([len(self.towers)])
        if "list_items" in batch:
            teacher = self._teacher_shares(states, packing, batch)
        weighted = self._teacher_weight * tf.reduce_sum(teacher)
        return self.next_item_losses(sums, weighted, teacher=teacher)

    def _teacher_shares(
        self, states: list[tf.Tensor], packing: Packing, batch: dict[str, tf.Tensor]
    ) -> tf.Tensor:
        """Returns [N], each tower's divergence from the lists, summed over places."""
        items = packing.pack(batch["list_items"])  # [T, K]
        scores = packing.pack(batch["list_scores"])
        first = tf.where(packing.is_row[:, 0], items[:, 0], PAD_ID)
        weights = place_weights(first, self.expected_labels)
        losses = [
            list_distillation_loss(
                item_logits(tower, tower.queries(of_tower), items),
                scores,
                temperature=self._teacher_temperature,
            )
            for tower, of_tower in zip(self.towers, states, strict=True)
        ]
        return tf.stack([tf.reduce_sum(weights * loss) for loss in losses])

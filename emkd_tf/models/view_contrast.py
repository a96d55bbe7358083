"""Next item models that also contrast two views of each history."""

from __future__ import annotations

import abc
from typing import Any

import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.data.histories import Histories
from emkd_tf.kernels.dropout import derived_seed
from emkd_tf.kernels.packing import clear
from emkd_tf.models.next_item import NextItemModel
from emkd_tf.models.terms import view_contrast_share
from emkd_tf.special_ids import PAD_ID


class ViewContrast(NextItemModel, abc.ABC):
    """Total = next item + contrast_weight * NT-Xent of the last states of two views.

    Args:
        contrast_weight: lambda.
        contrast_temperature: of NT-Xent.
        options: of `NextItemModel`.

    Source: Xie et al. 2022 (CL4SRec), section 3. Departure: see `NextItemModel`; the
    contrast is summed over networks.
    """

    def __init__(
        self, *args, contrast_weight: float, contrast_temperature: float, **options
    ):
        own = ["contrast"]
        super().__init__(*args, terms=own, network_terms=own, **options)
        self._contrast_weight = contrast_weight
        self._contrast_temperature = contrast_temperature

    @classmethod
    def arguments(cls, config: Config, histories: Histories) -> dict[str, Any]:
        return {
            **super().arguments(config, histories),
            "contrast_weight": config.objective.contrast_weight,
            "contrast_temperature": config.objective.temperature,
        }

    @abc.abstractmethod
    def view_ids(self, batch: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        """Returns the sequences [B, L] of two views; or only of the second, if the
        first is the history as already encoded for the next item loss."""

    def compute_losses(
        self, batch: dict[str, tf.Tensor], dropout_seed: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """See `Recommender.compute_losses`.

        Args:
            batch: as in `NextItemModel`; "row" [B] int32; and what the views need.
            dropout_seed: [2] int32, or None for no dropout.
        """
        states, packing = self.encode(batch["item_ids"], dropout_seed)
        sums = self.next_item_sums(states, packing, batch)
        views, shares = self.view_ids(batch), []
        sequences = tf.concat(views, axis=0)
        for number, tower in enumerate(self.towers):
            # The first seeds have been used to encode the histories.
            seed = derived_seed(dropout_seed, len(self.towers) + number)
            encoded, _ = tower.encode(sequences, seed, last_only=True)
            # A sequence of nothing but padding would have a meaningless state.
            encoded = clear(encoded, sequences[:, -1:] != PAD_ID)
            pair = tf.split(encoded, len(views))
            if len(views) == 1:
                pair = [packing.last(states[number]), *pair]
            shares.append(
                view_contrast_share(
                    tuple(pair), batch["row"], temperature=self._contrast_temperature
                )
            )
        weighted = self._contrast_weight * tf.add_n(shares)
        return self.next_item_losses(sums, weighted, contrast=tf.stack(shares))

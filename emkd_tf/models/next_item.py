"""Next item models: every state of a causal encoder predicts what came next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.examples.next_item import NextItem
from emkd_tf.data.examples.rows import ROWS, Rows
from emkd_tf.data.histories import Histories
from emkd_tf.kernels.dropout import derived_seed
from emkd_tf.kernels.packing import Packing
from emkd_tf.models.from_config import (
    make_towers,
    require_causal,
    training_options,
)
from emkd_tf.models.item_loss import ItemLoss, ItemSums, drawn_of
from emkd_tf.models.item_loss_from_config import make_item_loss, with_drawn_items
from emkd_tf.models.recommender import Recommender
from emkd_tf.models.tower import Tower
from emkd_tf.objectives.next_item import place_weights


class NextItemModel(Recommender):
    """Next item prediction; the scores of several networks add up.

    Args:
        towers: N, with causal encoders.
        item_loss: of the next items; with a `distillation_weight` the networks also
            learn from each other at every place.
        expected_labels: average number of labels per global batch over the training
            data.
        only_last: batches have labels only at the last place; the others are skipped.
        terms, network_terms: for models that add losses of their own.
        options: of `Recommender`.

    Attributes:
        ENCODER: default encoder, a name in ENCODERS, if the settings name none.
        TOWER: further arguments of the towers.

    Source: Kang and McAuley 2018, section 3.5. Departures: the item loss is a choice;
    the loss is divided by the expected number of labels, not by each batch's own.
    """

    ENCODER: ClassVar[str] = "causal"
    TOWER: ClassVar[dict[str, Any]] = {}

    def __init__(
        self,
        towers: Sequence[Tower],
        item_loss: ItemLoss,
        *,
        expected_labels: float,
        only_last: bool = False,
        terms: Sequence[str] = (),
        network_terms: Sequence[str] = (),
        **options,
    ):
        own = ["next_item"]
        if item_loss.distillation_weight is not None:
            own.append("distillation")
        super().__init__(
            towers,
            terms=[*own, *terms],
            network_terms=["next_item", *network_terms],
            **options,
        )
        self._item_loss, self.expected_labels = item_loss, expected_labels
        self._only_last = only_last

    @classmethod
    def create(cls, config: Config, histories: Histories) -> NextItemModel:
        """Builds the model of a config for a dataset.

        Raises:
            InputError: an encoder sees the items that it has to predict.
        """
        if config.data.rows != "prefix":
            require_causal(config)
        towers = cls.build_towers(config, histories)
        return cls(towers, **cls.arguments(config, histories))

    @classmethod
    def build_towers(cls, config: Config, histories: Histories) -> list[Tower]:
        """Returns the networks; models with other towers override it."""
        return make_towers(config, histories, cls.ENCODER, **cls.TOWER)

    @classmethod
    def arguments(cls, config: Config, histories: Histories) -> dict[str, Any]:
        """Returns the model's arguments besides its towers; models with more settings
        extend it."""
        return {
            "item_loss": make_item_loss(config, histories),
            "expected_labels": expected_labels(config, histories),
            "only_last": config.data.rows == "prefix",
            **training_options(config),
        }

    @classmethod
    def examples(cls, config: Config, histories: Histories) -> Examples:
        """The newest items of the training part as one row per user (rows shift), all
        of it in rows of that length (whole), or one row per next item (prefix)."""
        next_item = NextItem(config.data.rows == "prefix")
        examples = Examples(rows_of(config, histories), [next_item])
        return with_drawn_items(examples, config, histories)

    def compute_losses(
        self, batch: dict[str, tf.Tensor], dropout_seed: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """See `Recommender.compute_losses`.

        Args:
            batch: "item_ids" and "labels" [B, L] int32; and what the item loss needs.
            dropout_seed: [2] int32, or None for no dropout.
        """
        states, packing = self.encode(batch["item_ids"], dropout_seed)
        sums = self.next_item_sums(states, packing, batch)
        return self.next_item_losses(sums)

    def encode(
        self, item_ids: tf.Tensor, dropout_seed: tf.Tensor | None
    ) -> tuple[list[tf.Tensor], Packing]:
        """Encodes sequences [B, L] with all towers: N tensors [T, d], and the packing
        of their rows."""
        states = []
        for number, tower in enumerate(self.towers):
            seed = derived_seed(dropout_seed, number)
            of_tower, packing = tower.encode(item_ids, seed)
            states.append(of_tower)
        # The packing is the same for all towers.
        return states, packing

    def next_item_sums(
        self,
        states: Sequence[tf.Tensor],
        packing: Packing,
        batch: dict[str, tf.Tensor],
    ) -> ItemSums:
        """Returns the item loss and the distillation for states [T, d] and the batch's
        "labels" [B, L]."""
        if self._only_last:
            states = [packing.last(of_tower) for of_tower in states]
            labels = batch["labels"][:, -1]
            drawn = drawn_of(batch, lambda negatives: negatives[:, -1])
        else:
            labels = packing.pack_ids(batch["labels"])
            drawn = drawn_of(batch, packing.pack)
        weights = place_weights(labels, self.expected_labels)
        return self._item_loss(self.towers, states, labels, weights, drawn)

    def next_item_losses(
        self, sums: ItemSums, added: tf.Tensor | float = 0.0, **terms: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """Returns the losses by name: the item losses and a model's own `terms`, whose
        contribution to the total is `added`."""
        losses = {
            "total": sums.total + added,
            "next_item": sums.items,
            "distillation": sums.distillation,
        }
        return self.named({**losses, **terms})


def rows_of(config: Config, histories: Histories) -> Rows:
    """Returns the rows that next item models learn from, by the setting `rows`."""
    return ROWS[config.data.rows](*histories.training_bounds(), config.data.max_length)


def expected_labels(config: Config, histories: Histories) -> float:
    """Returns the average number of labels per batch; prefix rows have one each."""
    if config.data.rows == "prefix":
        return float(config.training.batch_size)
    starts, ends = histories.training_bounds()
    labels = np.maximum(ends - starts - 1, 0)
    if config.data.rows == "shift":
        labels = np.minimum(labels, config.data.max_length)
    labels_of_a_row = labels.sum() / len(rows_of(config, histories))
    return float(labels_of_a_row * config.training.batch_size)

"""Caser: convolutions over the newest items predict the next ones."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any, ClassVar

import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.histories import Histories
from emkd_tf.models.from_config import make_towers
from emkd_tf.models.item_loss import ItemSums
from emkd_tf.models.next_item import NextItemModel
from emkd_tf.models.tower import Tower
from emkd_tf.models.user_tower import UserTower


class Caser(NextItemModel):
    """Next item prediction by convolutions; a state predicts the `num_targets` items
    that came next.

    Args:
        num_targets: T, how many of the items after each place are learned.
        options: see `NextItemModel`.

    Source: Tang and Wang 2018, section 3. Departures: the user's vector is optional,
    see `UserTower`; without it item vectors have width d, not 2d, and may be the tied
    item embedding, as in RecBole. Batches consist of users, all of whose places learn,
    not of windows: the preset `paper` takes as many users as have some 512 windows.
    """

    ENCODER = "caser"
    TOWER: ClassVar[dict[str, Any]] = {"use_item_bias": True}

    def __init__(self, *options, num_targets: int = 1, **more):
        super().__init__(*options, **more)
        self._num_targets = num_targets

    @classmethod
    def arguments(cls, config: Config, histories: Histories) -> dict[str, Any]:
        num_targets = config.objective.num_targets
        found = super().arguments(config, histories)
        # Further targets are learned at places before the last one.
        only_last = found["only_last"] and num_targets == 1
        return {**found, "num_targets": num_targets, "only_last": only_last}

    @classmethod
    def build_towers(cls, config: Config, histories: Histories) -> list[Tower]:
        """See `NextItemModel.build_towers`; with user vectors, returns user towers."""
        if not config.model.user_vectors:
            return super().build_towers(config, histories)
        form = partial(UserTower, num_users=histories.num_users)
        return make_towers(config, histories, cls.ENCODER, form=form, **cls.TOWER)

    @classmethod
    def examples(cls, config: Config, histories: Histories) -> Examples:
        """See `NextItemModel.examples`; includes the rows' users if they matter."""
        found = super().examples(config, histories)
        return dataclasses.replace(found, with_users=config.model.user_vectors)

    def compute_losses(
        self, batch: dict[str, tf.Tensor], dropout_seed: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """See `NextItemModel.compute_losses`; the mean over the targets of a place.

        Args:
            batch: as there; "users" [B] int32 for user towers.
            dropout_seed: [2] int32, or None for no dropout.
        """
        states, packing = self.encode(batch["item_ids"], dropout_seed)
        if "users" in batch:
            ids = batch["item_ids"]
            users = tf.broadcast_to(batch["users"][:, tf.newaxis], tf.shape(ids))
            users = packing.pack(users)
            pairs = zip(self.towers, states, strict=True)
            states = [tower.with_users(of_tower, users) for tower, of_tower in pairs]
        # The t-th target of a place is the label t - 1 places later.
        sums = [
            self.next_item_sums(states, packing, _later(batch, by))
            for by in range(self._num_targets)
        ]
        totals = [tf.add_n(terms) for terms in zip(*sums, strict=True)]
        mean = ItemSums(*(total / self._num_targets for total in totals))
        return self.next_item_losses(mean)


def _later(batch: dict[str, tf.Tensor], by: int) -> dict[str, tf.Tensor]:
    """Shifts labels and their negatives left by `by` places and pads on the right."""
    moved = {}
    for name in {"labels", "negatives"} & batch.keys():
        values = batch[name]
        padding = [[0, 0], [0, by]] + [[0, 0]] * (len(values.shape) - 2)
        moved[name] = tf.pad(values[:, by:], padding)
    return {**batch, **moved}

"""BERT4Rec: a bidirectional transformer that fills in masked items."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.examples.masked_items import MaskedItems
from emkd_tf.data.examples.rows import Windows
from emkd_tf.data.histories import Histories
from emkd_tf.kernels.dropout import derived_seed
from emkd_tf.models.from_config import (
    make_towers,
    training_options,
)
from emkd_tf.models.item_loss import ItemLoss
from emkd_tf.models.item_loss_from_config import make_item_loss, with_drawn_items
from emkd_tf.models.recommender import Recommender
from emkd_tf.models.terms import masked_item_sums
from emkd_tf.models.tower import Tower


class BERT4Rec(Recommender):
    """Masked item prediction; the scores of several networks add up.

    Args:
        towers: N, each with a mask token as its query.
        item_loss: at hidden items; with a `distillation_weight` the networks also learn
            from each other there.
        most_hidden: largest number of items hidden in a sequence, for static shapes.
        options: of `Recommender`.

    Source: Sun et al. 2019, section 3. Departures: histories are padded on the left;
    validation items are never trained on, unlike in the authors' release.
    """

    def __init__(
        self,
        towers: Sequence[Tower],
        item_loss: ItemLoss,
        *,
        most_hidden: int,
        **options,
    ):
        terms = ["masked_item"]
        if item_loss.distillation_weight is not None:
            terms.append("distillation")
        own = ["masked_item"]
        super().__init__(towers, terms=terms, network_terms=own, **options)
        self._item_loss, self._most_hidden = item_loss, most_hidden

    @classmethod
    def create(cls, config: Config, histories: Histories) -> BERT4Rec:
        """Builds the model of a config for a dataset."""
        towers = make_towers(
            config,
            histories,
            "post_norm",
            mask_query=True,
            use_item_bias=True,
            head=True,
        )
        return cls(
            towers,
            make_item_loss(config, histories),
            most_hidden=_masked_items(config, histories).most,
            **training_options(config),
        )

    @classmethod
    def examples(cls, config: Config, histories: Histories) -> Examples:
        """Windows of the training parts with some items hidden."""
        data = config.data
        rows = Windows(*histories.training_bounds(), data.max_length, data.window_step)
        examples = Examples(rows, [_masked_items(config, histories)])
        return with_drawn_items(examples, config, histories, num_views=1)

    def compute_losses(
        self, batch: dict[str, tf.Tensor], dropout_seed: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """See `Recommender.compute_losses`.

        Args:
            batch: "views" and "labels" [B, 1, L] int32; and what the item loss needs.
            dropout_seed: [2] int32, or None for no dropout.
        """
        views, states = batch["views"][:, 0], []
        for number, tower in enumerate(self.towers):
            seed = derived_seed(dropout_seed, number)
            states.append(tower.states(views, seed)[:, tf.newaxis])
        capacity = None
        if self.compute.static_shapes:
            capacity = views.shape[0] * self._most_hidden
        sums = masked_item_sums(self._item_loss, self.towers, states, batch, capacity)
        losses = {
            "total": sums.total,
            "masked_item": sums.items,
            "distillation": sums.distillation,
        }
        return self.named(losses)


def _masked_items(config: Config, histories: Histories) -> MaskedItems:
    objective = config.objective
    return MaskedItems(
        histories.num_items,
        config.data.max_length,
        objective.mask_probability,
        objective.last_item_rows,
    )

"""EMKD: parallel networks that learn together and recommend by the sum of their
scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.data.examples.cloze import Cloze
from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.examples.rows import Windows
from emkd_tf.data.histories import Histories
from emkd_tf.kernels.dropout import derived_seed
from emkd_tf.kernels.positions import largest_count
from emkd_tf.models.attribute_head import make_attribute_heads
from emkd_tf.models.from_config import (
    attributes_of,
    make_towers,
    training_options,
)
from emkd_tf.models.item_loss import ItemLoss
from emkd_tf.models.item_loss_from_config import make_item_loss, with_drawn_items
from emkd_tf.models.loss_weights import LossWeights
from emkd_tf.models.recommender import Recommender
from emkd_tf.models.terms import (
    States,
    attribute_shares,
    contrast_shares,
    masked_item_sums,
)
from emkd_tf.models.tower import Tower


class EMKD(Recommender):
    """The ensemble of N networks with its loss.

    Args:
        towers: N, each with a mask token as its query.
        item_loss: of MIP and, if it has a `distillation_weight`, KD.
        attribute_ids: [V + 2, K] int32, each item's attributes, numbered from 1.
        num_attributes: A; 0 for no AP.
        loss_weights: of the other terms.
        options: of `Recommender`.

    Source: Du et al. 2023. Departures: the networks start from different weights, while
    their transformer blocks start identical in the release; Adam's epsilon is Keras's
    1e-7, in the release 1e-8; see also `TransformerBlock`.
    """

    def __init__(
        self,
        towers: Sequence[Tower],
        item_loss: ItemLoss,
        *,
        attribute_ids: np.ndarray,
        num_attributes: int,
        loss_weights: LossWeights | None = None,
        name: str = "emkd",
        **options,
    ):
        loss_weights = loss_weights or LossWeights()
        switches = {
            "masked_item": True,
            "attribute": loss_weights.attribute_prediction and num_attributes > 0,
            "icl": loss_weights.intra_contrast,
            "ccl": loss_weights.cross_contrast,
            "distillation": item_loss.distillation_weight is not None,
        }
        terms = [term for term, is_on in switches.items() if is_on]
        own = [term for term in terms if term not in ("ccl", "distillation")]
        super().__init__(towers, terms=terms, network_terms=own, name=name, **options)
        self.loss_weights, self._item_loss = loss_weights, item_loss
        self._attribute_ids = tf.constant(attribute_ids, tf.int32)
        if num_attributes:
            self.heads = make_attribute_heads(self.towers, num_attributes, self.seed)

    @classmethod
    def create(cls, config: Config, histories: Histories) -> EMKD:
        """Builds the model of a config for a dataset."""
        return cls(
            make_towers(
                config,
                histories,
                "bidirectional",
                mask_query=True,
                use_item_bias=True,
            ),
            make_item_loss(config, histories),
            **attributes_of(histories),
            loss_weights=LossWeights.of_config(config),
            **training_options(config),
        )

    @classmethod
    def examples(cls, config: Config, histories: Histories) -> Examples:
        """Windows of the training parts with their masked views."""
        data, objective = config.data, config.objective
        length, num_views = data.max_length, objective.num_views
        rows = Windows(*histories.training_bounds(), length, data.window_step)
        cloze = Cloze(
            histories.num_items,
            length,
            num_views,
            objective.mask_probability,
            objective.mask_at_least_one,
        )
        return with_drawn_items(Examples(rows, [cloze]), config, histories, num_views)

    def compute_losses(
        self, batch: dict[str, tf.Tensor], dropout_seed: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """See `Recommender.compute_losses`.

        Args:
            batch: "item_ids" [B, L], "views" and "labels" [B, M, L], "row" [B], all
                int32; and what the item loss needs.
            dropout_seed: [2] int32, or None for no dropout.
        """
        states = [
            self._states(tower, number, batch, dropout_seed)
            for number, tower in enumerate(self.towers)
        ]
        capacity = None
        if self.compute.static_shapes:
            places = batch["labels"].shape.num_elements()
            capacity = largest_count(places, self.loss_weights.chosen_share)
        views = [s.views for s in states]
        # MIP and KD are the only terms with item logits.
        sums = masked_item_sums(self._item_loss, self.towers, views, batch, capacity)
        terms = {"masked_item": sums.items, "distillation": sums.distillation}
        if "attribute" in self.loss_names:
            terms["attribute"] = attribute_shares(
                self.heads,
                [s.anchors for s in states],
                batch["item_ids"],
                self._attribute_ids,
                self.compute.static_shapes,
            )
        if "icl" in self.loss_names or "ccl" in self.loss_names:
            terms |= contrast_shares(
                states,
                batch["row"],
                temperature=self.loss_weights.temperature,
                self_term=self.loss_weights.contrast_self_term,
            )
        weights = {"attribute": self.loss_weights.attribute_weight}
        weights |= dict.fromkeys(("icl", "ccl"), self.loss_weights.contrast_weight)
        others = [
            weights[name] * tf.reduce_sum(terms[name])
            for name in self.loss_names
            if name in weights
        ]
        return self.named({**terms, "total": tf.add_n([sums.total, *others])})

    def _states(
        self,
        tower: Tower,
        number: int,
        batch: dict[str, tf.Tensor],
        dropout_seed: tf.Tensor | None,
    ) -> States:
        views = batch["views"]
        num_views, length = views.shape[1:]
        num_sequences = tf.shape(views)[0]
        # Sequences first, then views: contiguous parts split without a copy.
        rows = tf.concat([batch["item_ids"], tf.reshape(views, [-1, length])], axis=0)
        anchors, of_views = tf.split(
            tower.states(rows, derived_seed(dropout_seed, number)),
            [num_sequences, num_sequences * num_views],
        )
        shape = [-1, num_views, length, tower.width]
        return States(anchors, tf.reshape(of_views, shape))

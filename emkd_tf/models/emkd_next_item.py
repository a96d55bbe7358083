"""EMKD with next item prediction as its task: causal networks that learn together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.data.histories import Histories
from emkd_tf.kernels.dropout import derived_seed
from emkd_tf.kernels.packing import Packing
from emkd_tf.models.attribute_head import AttributeHead, make_attribute_heads
from emkd_tf.models.from_config import attributes_of
from emkd_tf.models.item_loss import ItemLoss
from emkd_tf.models.next_item import NextItemModel
from emkd_tf.models.terms import (
    States,
    attribute_sums,
    contrast_shares,
)
from emkd_tf.models.tower import Tower
from emkd_tf.objectives.next_item import place_weights

_VIEW = 7  # folded into the seed of the views' dropout


class EMKDNextItem(NextItemModel):
    """N networks that predict the next item at every place and learn from each other.

    Total = NIP + KD + attribute_weight * AP + contrast_weight * (ICL + CCL): NIP and KD
    at every place; AP for the attributes of the next items; ICL and CCL between the
    newest states of the sequences and those of a second pass with different dropout.

    Args:
        towers: N, with causal encoders.
        item_loss: of NIP and, if it has a `distillation_weight`, KD.
        attribute_ids: [V + 2, K] int32, each item's attributes, numbered from 1.
        num_attributes: A; 0 for no AP.
        attribute_weight: of AP.
        contrasts: which of "icl" and "ccl" take part.
        contrast_weight: of the contrasts.
        temperature: of the contrasts.
        options: of `NextItemModel`.

    Source: Du et al. 2023 for the exchange; figure 4 applies it to SASRec. Departures:
    AP predicts the next item's attributes, in the paper the item's own, which a causal
    state has seen; a view is the sequence under different dropout.
    """

    def __init__(
        self,
        towers: Sequence[Tower],
        item_loss: ItemLoss,
        *,
        attribute_ids: np.ndarray,
        num_attributes: int,
        attribute_weight: float = 1.0,
        contrasts: Sequence[str] = (),
        contrast_weight: float = 0.01,
        temperature: float = 1.0,
        name: str = "emkd",
        **options,
    ):
        terms = ["attribute"] if num_attributes and attribute_weight else []
        own = [term for term in (*terms, *contrasts) if term != "ccl"]
        super().__init__(
            towers,
            item_loss,
            terms=[*terms, *contrasts],
            network_terms=own,
            name=name,
            **options,
        )
        self._attribute_ids = tf.constant(attribute_ids, tf.int32)
        self._weights = {
            "attribute": attribute_weight,
            **dict.fromkeys(contrasts, contrast_weight),
        }
        self._contrasts, self._temperature = contrasts, temperature
        self.heads: list[AttributeHead] = []
        if "attribute" in terms:
            self.heads = make_attribute_heads(self.towers, num_attributes, self.seed)

    @classmethod
    def arguments(cls, config: Config, histories: Histories) -> dict[str, Any]:
        objective = config.objective
        switches = {"icl": objective.intra_contrast, "ccl": objective.cross_contrast}
        contrasts = [name for name, is_on in switches.items() if is_on]
        return {
            **super().arguments(config, histories),
            **attributes_of(histories),
            "attribute_weight": objective.attribute_weight
            * objective.attribute_prediction,
            "contrasts": contrasts if objective.contrast_weight else [],
            "contrast_weight": objective.contrast_weight,
            "temperature": objective.temperature,
        }

    def compute_losses(
        self, batch: dict[str, tf.Tensor], dropout_seed: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """See `NextItemModel.compute_losses`; batches also need "row" [B] int32."""
        states, packing = self.encode(batch["item_ids"], dropout_seed)
        sums = self.next_item_sums(states, packing, batch)
        others = {}
        if "attribute" in self.loss_names:
            labels = packing.pack_ids(batch["labels"])
            others["attribute"] = attribute_sums(
                self.heads,
                states,
                labels,
                place_weights(labels, self.expected_labels),
                self._attribute_ids,
            )
        if self._contrasts:
            of_views = self._contrast(states, packing, batch, dropout_seed)
            others |= {name: of_views[name] for name in self._contrasts}
        added = [
            self._weights[name] * tf.reduce_sum(loss) for name, loss in others.items()
        ]
        return self.next_item_losses(sums, tf.add_n([0.0, *added]), **others)

    def _contrast(
        self,
        states: Sequence[tf.Tensor],
        packing: Packing,
        batch: dict[str, tf.Tensor],
        dropout_seed: tf.Tensor | None,
    ) -> dict[str, tf.Tensor]:
        seed = derived_seed(dropout_seed, _VIEW)
        views, _ = self.encode(batch["item_ids"], seed)
        pairs = [
            States(
                packing.last(anchors)[:, tf.newaxis],
                packing.last(of_view)[:, tf.newaxis, tf.newaxis],
            )
            for anchors, of_view in zip(states, views, strict=True)
        ]
        return contrast_shares(
            pairs, batch["row"], temperature=self._temperature, self_term=False
        )

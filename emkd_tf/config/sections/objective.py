"""The training objective."""

from __future__ import annotations

import dataclasses
from typing import Literal

from emkd_tf.config.rules import require, require_at_least, require_choices


@dataclasses.dataclass(frozen=True)
class ObjectiveConfig:
    """Terms of the training loss; the paper's symbols in brackets.

    Attributes:
        task: masked_item, as in the paper, or next_item, with causal networks.
        num_views: [M] masked views of each sequence per step.
        mask_probability: [rho] probability of choosing an item to mask, in (0, 1).
        mask_at_least_one: choose one random item in views that would have none chosen;
            in the paper, views may have none.
        last_item_rows: share of the training rows that mask only their last item, as a
            query does, in [0, 1].
        num_targets: [T] next items that each position predicts.
        temperature: [tau] of contrast and distillation, > 0.
        contrast_weight: [lambda] weight of ICL + CCL, or of the contrast of two views.
        attribute_weight: weight of AP; the paper uses none.
        distillation_weight: [mu] weight of the distillation.
        attribute_prediction: use the AP term.
        intra_contrast: use the ICL term.
        cross_contrast: use the CCL term.
        distillation: use the KD term.
        distill: finished run whose lists the network learns from.
        distill_items: length of these lists.
        contrast_self_term: keep exp(0) for the anchor itself among the negatives, as
            the authors' release does.
        crop_share: share of a history's items that a crop keeps, in (0, 1].
        mask_share: share of a history's items that a view masks, in [0, 1].
        reorder_share: share of a history's items that a view reorders, in [0, 1].
        contrast_views: views to contrast: us_x, the history encoded again and another
            history with the same next item; un, the history encoded twice; su, the
            history and such another one.
        item_loss: how a state learns its item: full, softmax over all items; sampled,
            softmax over candidates shared by all positions of a step; negatives,
            softmax over uniform negatives drawn for each position; bce, bpr and gbce,
            other losses over such negatives.
        num_sampled: [S] candidates per step for the sampled item loss; with as many as
            there are items it equals the full one.
        prediction_steps: [S] how many items ahead a state predicts, one after the
            other.
        item_encodings: encodings of a batch's items, each with its own dropout, that a
            prediction is contrasted with.
        l2: L2 penalty: this times half the sum of all squared weights is added to the
            loss.
        num_negatives: [k] uniform negatives per position, for the item losses that use
            them.
    """

    task: Literal["masked_item", "next_item"] = "masked_item"
    num_views: int = 8
    mask_probability: float = 0.15
    mask_at_least_one: bool = False
    last_item_rows: float = 0.1
    num_targets: int = 1
    temperature: float = 0.3
    contrast_weight: float = 0.01
    attribute_weight: float = 1.0
    distillation_weight: float = 0.001
    attribute_prediction: bool = True
    intra_contrast: bool = True
    cross_contrast: bool = True
    distillation: bool = True
    distill: str | None = None
    distill_items: int = 50
    contrast_self_term: bool = False
    crop_share: float = 0.6
    mask_share: float = 0.3
    reorder_share: float = 0.6
    contrast_views: Literal["us_x", "un", "su"] = "us_x"
    item_loss: Literal["full", "sampled", "negatives", "bce", "bpr", "gbce"] = "full"
    num_sampled: int = 2048
    num_negatives: int = 256
    prediction_steps: int = 1
    item_encodings: int = 4
    l2: float = 0.0

    def __post_init__(self) -> None:
        require_choices(self)
        require_at_least(self, 1, "num_views", "num_sampled", "num_negatives")
        require_at_least(self, 1, "num_targets", "distill_items")
        share = self.last_item_rows
        require(0 <= share <= 1, "last_item_rows", "in [0, 1]", share)
        require(0 < self.crop_share <= 1, "crop_share", "in (0, 1]", self.crop_share)
        for name in ("mask_share", "reorder_share"):
            share = getattr(self, name)
            require(0 <= share <= 1, name, "in [0, 1]", share)
        require_at_least(self, 1, "prediction_steps", "item_encodings")
        require_at_least(self, 0, "contrast_weight", "distillation_weight", "l2")
        require_at_least(self, 0, "attribute_weight")
        require(
            0 < self.mask_probability < 1,
            "mask_probability",
            "in (0, 1)",
            self.mask_probability,
        )
        require(self.temperature > 0, "temperature", "above 0", self.temperature)

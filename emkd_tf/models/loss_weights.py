"""The terms of EMKD's loss and their weights."""

from __future__ import annotations

import dataclasses

from emkd_tf.config import Config


@dataclasses.dataclass(frozen=True)
class LossWeights:
    """Total = MIP + attribute_weight * AP + contrast_weight * (ICL + CCL)
    + distillation_weight * KD.

    The item loss computes MIP and KD, at the positions chosen in the views.

    Args:
        temperature: of the contrast.
        contrast_weight: the paper's lambda.
        attribute_weight: of AP; the paper has no such weight.
        attribute_prediction, intra_contrast, cross_contrast: whether AP, ICL and CCL
            take part.
        contrast_self_term: see `objectives.contrastive`.
        chosen_share: with static shapes, the expected share of chosen positions in
            sequences without padding; it bounds how many are computed.

    Source: Du et al. 2023 (objectives). Departure: none; AP is over all items as in the
    paper, while the release takes the positions chosen in the last view.
    """

    temperature: float = 0.3
    contrast_weight: float = 0.01
    attribute_weight: float = 1.0
    attribute_prediction: bool = True
    intra_contrast: bool = True
    cross_contrast: bool = True
    contrast_self_term: bool = False
    chosen_share: float = 0.15

    @classmethod
    def of_config(cls, config: Config) -> LossWeights:
        """Returns the weights of a config."""
        objective = config.objective
        one_a_view = objective.mask_at_least_one / config.data.max_length
        return cls(
            temperature=objective.temperature,
            contrast_weight=objective.contrast_weight,
            attribute_weight=objective.attribute_weight,
            attribute_prediction=objective.attribute_prediction,
            intra_contrast=objective.intra_contrast,
            cross_contrast=objective.cross_contrast,
            contrast_self_term=objective.contrast_self_term,
            chosen_share=min(1.0, objective.mask_probability + one_a_view),
        )

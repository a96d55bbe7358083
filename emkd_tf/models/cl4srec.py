"""CL4SRec: next item prediction plus a contrast of two augmented histories."""

from __future__ import annotations

import dataclasses

import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.data.examples.augmentations import Augmentations
from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.histories import Histories
from emkd_tf.models.view_contrast import ViewContrast


class CL4SRec(ViewContrast):
    """The views are the history cropped, masked or reordered.

    Args: see `ViewContrast`.

    Source: Xie et al. 2022. Departures: the two operators differ and a view is
    represented by its last state, as in the release of DuoRec; see also `ViewContrast`.
    """

    @classmethod
    def examples(cls, config: Config, histories: Histories) -> Examples:
        """See `NextItemModel.examples`; adds "views" [B, 2, L]."""
        examples = super().examples(config, histories)
        objective = config.objective
        augmentations = Augmentations(
            histories.num_items,
            config.data.max_length,
            objective.crop_share,
            objective.mask_share,
            objective.reorder_share,
        )
        transforms = [*examples.transforms, augmentations]
        return dataclasses.replace(examples, transforms=transforms)

    def view_ids(self, batch: dict[str, tf.Tensor]) -> list[tf.Tensor]:
        return tf.unstack(batch["views"], axis=1)

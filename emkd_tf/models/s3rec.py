"""S3-Rec: SASRec starting from weights pre-trained with attributes and segments."""

from __future__ import annotations

import dataclasses

from emkd_tf.config import Config
from emkd_tf.models.next_item import NextItemModel
from emkd_tf.models.s3rec_pretraining import S3RecPretraining
from emkd_tf.models.stage import Stage


class S3Rec(NextItemModel):
    """SASRec with post-norm blocks, pre-trained by `S3RecPretraining`.

    Args: see `NextItemModel`.

    Source: Zhou et al. 2020, section 4.3. Departures: see `NextItemModel`.
    """

    ENCODER = "causal_post_norm"

    @classmethod
    def stages(cls, config: Config) -> list[Stage]:
        training = config.training
        if not training.pretrain_epochs:
            return super().stages(config)
        own = dataclasses.replace(
            training,
            epochs=training.pretrain_epochs,
            batch_size=training.pretrain_batch_size,
        )
        first = Stage(
            S3RecPretraining,
            dataclasses.replace(config, training=own),
            "pretraining",
            is_validated=False,  # its states do not score items
            is_last=False,
        )
        return [first, Stage(cls, config, "finetuning")]

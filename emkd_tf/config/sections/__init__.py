"""The sections of a config: typed settings with the paper's values for Beauty as
defaults."""

from emkd_tf.config.sections.data import DataConfig
from emkd_tf.config.sections.model import ModelConfig
from emkd_tf.config.sections.objective import ObjectiveConfig
from emkd_tf.config.sections.run import RunConfig
from emkd_tf.config.sections.training import TrainingConfig

__all__ = [
    "DataConfig",
    "ModelConfig",
    "ObjectiveConfig",
    "RunConfig",
    "TrainingConfig",
]

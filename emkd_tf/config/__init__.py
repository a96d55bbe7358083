"""Settings: sections, flat names, the table of models, files and flags.

Loads no TensorFlow.
"""

from emkd_tf.config.flat import (
    BESIDE_TRAINING,
    KEYS,
    PATHS,
    SECTIONS,
    Config,
    from_flat,
    nearest,
    to_flat,
    with_absolute_paths,
)
from emkd_tf.config.sections import (
    DataConfig,
    ModelConfig,
    ObjectiveConfig,
    RunConfig,
    TrainingConfig,
)

__all__ = [
    "BESIDE_TRAINING",
    "KEYS",
    "PATHS",
    "SECTIONS",
    "Config",
    "DataConfig",
    "ModelConfig",
    "ObjectiveConfig",
    "RunConfig",
    "TrainingConfig",
    "from_flat",
    "nearest",
    "to_flat",
    "with_absolute_paths",
]

"""What changes in a training, by names that hold from one process to the next."""

from __future__ import annotations

import emkd_tf  # noqa: F401  chooses Keras 2 before TensorFlow loads

# isort: split
import tensorflow as tf

from emkd_tf.models.recommender import Recommender


def state_of(model: Recommender) -> dict[str, tf.Variable]:
    """Returns the variables of a compiled model by name, such as `towers/3`: equal
    settings give equal names."""
    groups = {
        "towers": [v for tower in model.towers for v in tower.variables],
        "heads": [v for head in model.heads for v in head.variables],
        "optimizer": list(model.optimizer.variables),
        "means": [v for tracker in model.metrics for v in tracker.variables],
        "steps": [model.last_losses, model.skipped],
    }
    return {
        f"{group}/{number}": variable
        for group, variables in groups.items()
        for number, variable in enumerate(variables)
    }

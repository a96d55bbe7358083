"""Which preset suits this machine, where nobody asked for one."""

from __future__ import annotations

import os
from pathlib import Path

from emkd_tf.config.model_table import MODELS

_HIDDEN = ("", "-1")  # values of CUDA_VISIBLE_DEVICES that hide all devices


def has_gpu() -> bool:
    """Tells whether the system has a GPU driver, without loading TensorFlow."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in _HIDDEN:
        return False
    return any(Path("/dev").glob("nvidia[0-9]*")) or Path("/dev/kfd").exists()


def suitable_preset(model: str) -> str | None:
    """Returns the preset for a model's training here; None for its own settings, and
    for a model that there is not."""
    entry = MODELS.get(model)
    return entry.without_gpu if entry and not has_gpu() else None

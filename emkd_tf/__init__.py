"""EMKD-TF: sequential recommendation with ensembles of TensorFlow encoders.

Importing this package does not import TensorFlow: the public names below load on first
use.
"""

from __future__ import annotations

import importlib
from typing import Any

from emkd_tf.keras2 import require_keras_2

__version__ = "0.1.0"

_PUBLIC = {
    "Config": "emkd_tf.config",
    "Run": "emkd_tf.notebook",
    "open_run": "emkd_tf.notebook",
    "prepare": "emkd_tf.notebook",
    "train": "emkd_tf.notebook",
}
__all__ = ["__version__", *_PUBLIC]

require_keras_2()


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'emkd_tf' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)

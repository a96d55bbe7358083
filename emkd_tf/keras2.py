"""Makes `tf.keras` Keras 2 before TensorFlow loads; TFRS works with nothing else."""

from __future__ import annotations

import importlib.metadata
import os
import sys

_TRUE = ("1", "true", "True")  # exactly the values TensorFlow accepts
_REMEDY = (
    "Set TF_USE_LEGACY_KERAS=1 in the environment before Python starts, or import "
    "emkd_tf before tensorflow and anything that imports it."
)


def _installed_major(package: str) -> int | None:
    try:
        return int(importlib.metadata.version(package).split(".")[0])
    except importlib.metadata.PackageNotFoundError:
        return None


def require_keras_2() -> None:
    """Selects Keras 2 if TensorFlow is not loaded yet, and checks the choice if it is.

    TensorFlow <= 2.15 comes with Keras 2 and is left alone: forcing tf-keras there
    would separate `tf.keras` from the user's own `import keras`.

    Raises:
        ImportError: Keras 3 was already chosen, or tf-keras is missing.
    """
    if (_installed_major("keras") or 3) < 3:
        return
    chosen = os.environ.get("TF_USE_LEGACY_KERAS")
    if chosen is not None and chosen not in _TRUE:
        raise ImportError(f"TF_USE_LEGACY_KERAS={chosen!r} selects Keras 3. {_REMEDY}")
    if _installed_major("tf_keras") is None:
        raise ImportError("emkd_tf needs the tf-keras package: pip install tf-keras")
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        os.environ["TF_USE_LEGACY_KERAS"] = "1"
    elif getattr(tensorflow, "_tf_uses_legacy_keras", True) is False:
        raise ImportError(f"tensorflow was imported with Keras 3. {_REMEDY}")

"""Classes that tables name without importing them."""

from __future__ import annotations

import importlib
from typing import Any


def load(path: str) -> Any:
    """Returns what `MODULE:NAME` names."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)

"""Traces functions forward only, without the layers' hand-written gradients.

A SavedModel with custom gradients warns everyone who loads it that it cannot be
differentiated twice; exports are never differentiated.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
from tensorflow.python.ops import custom_gradient


def _without_gradient(function: Callable, args: tuple, kwargs: dict) -> Any:
    """Calls a function that returns its result and its gradient."""
    return function(*tf.nest.map_structure(tf.convert_to_tensor, args), **kwargs)[0]


@contextlib.contextmanager
def forward_only() -> Iterator[None]:
    """What is traced inside contains no custom gradient; TensorFlow has no switch for
    that."""
    before = custom_gradient._graph_mode_decorator
    custom_gradient._graph_mode_decorator = _without_gradient
    try:
        yield
    finally:
        custom_gradient._graph_mode_decorator = before

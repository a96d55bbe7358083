"""Traces functions forwards alone, without the gradients that layers write by hand.

A SavedModel with custom gradients warns everyone who loads it that it cannot be
differentiated twice; an export is not differentiated at all.
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
    """What is traced inside holds no custom gradient; TensorFlow has no switch for
    it."""
    before = custom_gradient._graph_mode_decorator
    custom_gradient._graph_mode_decorator = _without_gradient
    try:
        yield
    finally:
        custom_gradient._graph_mode_decorator = before

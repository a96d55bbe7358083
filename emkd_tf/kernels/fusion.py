"""Compiles each element-wise formula to one kernel, forward and backward.

Between matrix products a training step is memory-bound: a formula of ten operations
reads and writes its tensor ten times, and its gradient twice as often. XLA turns it
into a single loop.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf

_state = threading.local()


@contextlib.contextmanager
def fusion(is_on: bool) -> Iterator[None]:
    """Fuses the `fused` formulas that this thread traces inside.

    Off by default: an exported model may contain only stock operations.
    """
    before = _is_on()
    _state.is_on = is_on
    try:
        yield
    finally:
        _state.is_on = before


def _is_on() -> bool:
    return getattr(_state, "is_on", False)


def fused(
    formula: Callable[..., Any] | None = None,
    *,
    gradient: Callable[..., Any] | None = None,
    reads: Sequence[str] = (),
) -> Callable[..., Any]:
    """Compiles a formula to one kernel under `fusion`; elsewhere it runs unchanged.

    Its gradient recomputes the formula from the inputs, which costs less than keeping
    the intermediate values.

    Args:
        formula: a function of tensors, with constants by keyword.
        gradient: the gradient written by hand, for formulas whose gradient needs only
            some inputs. It takes these, the upstream gradients and the constants, and
            returns the gradients by all inputs, None for those that are not floats.
        reads: names of the inputs that `gradient` needs; only these are kept.
    """
    if formula is None:
        return functools.partial(fused, gradient=gradient, reads=reads)
    names = list(inspect.signature(formula).parameters)
    kept = [names.index(name) for name in reads]

    @functools.wraps(formula)
    def call(*inputs: tf.Tensor, **constants: Any) -> Any:
        if not _is_on():
            return formula(*inputs, **constants)
        # A strategy's variable would count as captured by the formula.
        inputs = tuple(tf.convert_to_tensor(x) for x in inputs)
        forward, backward = _compiled(
            formula, gradient, tuple(sorted(constants.items()))
        )

        @tf.custom_gradient
        def differentiable(*inputs: tf.Tensor):
            needed = inputs if gradient is None else tuple(inputs[i] for i in kept)

            def by_inputs(*upstream: tf.Tensor):
                return backward(needed, upstream)

            return forward(*inputs), by_inputs

        return differentiable(*inputs)

    return call


@functools.cache
def _compiled(
    formula: Callable, gradient: Callable | None, constants: tuple
) -> tuple[Callable, Callable]:
    options = dict(constants)

    @tf.function(jit_compile=True, autograph=False)
    def forward(*inputs: tf.Tensor) -> Any:
        return formula(*inputs, **options)

    @tf.function(jit_compile=True, autograph=False)
    def backward(inputs: tuple, upstream: tuple) -> Any:
        if gradient is not None:
            return gradient(*inputs, *upstream, **options)
        with tf.GradientTape() as tape:
            tape.watch([x for x in inputs if x.dtype.is_floating])
            outputs = tf.nest.flatten(formula(*inputs, **options))
        return tape.gradient(outputs, inputs, output_gradients=list(upstream))

    return forward, backward


def rounded_up(count: tf.Tensor) -> tf.Tensor:
    """Rounds a number of rows [] int32 up to one of a few values, under `fusion`.

    Every number of rows needs its own compiled kernel. Keeping six binary digits
    wastes 1 % of the rows, and leaves a handful of numbers over a training run.
    """
    if not _is_on():
        return count
    digits = tf.math.log(tf.cast(count, tf.float32)) / math.log(2.0)
    granule = tf.cast(tf.pow(2.0, tf.floor(digits) - 5.0), tf.int32)
    granule = tf.maximum(granule, 32)
    return (count + granule - 1) // granule * granule

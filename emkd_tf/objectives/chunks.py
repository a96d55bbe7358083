"""Sums over rows, a chunk of rows at a time, with their gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

Tensors = Sequence[tf.Tensor]


def sum_over_chunks(
    function: Callable[[Tensors, Tensors, Tensors], tf.Tensor],
    rows: Tensors,
    labels: Tensors,
    shared: Tensors,
    *,
    num_values: int,
    size: int | None,
) -> tf.Tensor:
    """Adds up a function of rows without holding what it makes of all of them.

    Logits are as wide as the catalogue: for all rows at once they would fill the memory
    several times, and every operation on them would wait for it. Those of a chunk stay
    in the processor's cache. The gradient is computed along with the value, while the
    chunk is there.

    Args:
        function: of a chunk's rows, its labels and what is shared, to [num_values].
        rows: [P, ...] float each; the function is differentiated by them.
        labels: [P, ...] each, of the same rows; constants.
        shared: tensors that all rows share; the function is differentiated by them.
        num_values: of the function.
        size: rows of a chunk, at most; None for all rows at once, with the gradient
            that TensorFlow gives.

    Returns:
        [num_values], the sums over all chunks. Only the first has a gradient.
    """
    if size is None:
        values = function(rows, labels, shared)
        return tf.concat([values[:1], tf.stop_gradient(values[1:])], axis=0)

    @tf.custom_gradient
    def summed(*inputs: tf.Tensor):
        own, common = inputs[: len(rows)], inputs[len(rows) :]
        sums, gradients = _loop(function, own, labels, common, num_values, size)

        def gradient(upstream: tf.Tensor) -> list[tf.Tensor]:
            return [tf.cast(upstream[0], g.dtype) * g for g in gradients]

        return sums, gradient

    return summed(*rows, *shared)


def _loop(
    function: Callable,
    rows: Tensors,
    labels: Tensors,
    shared: Tensors,
    num_values: int,
    size: int,
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Returns the sums, and the first one's gradient by rows and by what is shared."""
    num_rows = tf.shape(rows[0])[0]
    num_chunks = tf.maximum(1, (num_rows + size - 1) // size)
    size = (num_rows + num_chunks - 1) // num_chunks  # all of about the same size

    def add_chunk(
        number: tf.Tensor, sums: tf.Tensor, by_rows: list, by_shared: list
    ) -> tuple:
        own = slice(number * size, (number + 1) * size)
        chunk = [x[own] for x in rows]
        with tf.GradientTape() as tape:
            tape.watch([*chunk, *shared])
            values = function(chunk, [x[own] for x in labels], shared)
            value = values[0]
        of_rows, of_shared = tape.gradient(value, [chunk, list(shared)])
        return (
            number + 1,
            sums + values,
            [array.write(number, g) for array, g in zip(by_rows, of_rows, strict=True)],
            # In float32 even where the parts are shorter: they are many.
            [
                total + tf.cast(g, total.dtype)
                for total, g in zip(by_shared, of_shared, strict=True)
            ],
        )

    def array_of(x: tf.Tensor) -> tf.TensorArray:
        shape = [None, *x.shape[1:]]
        return tf.TensorArray(
            x.dtype, num_chunks, element_shape=shape, infer_shape=False
        )

    _, sums, by_rows, by_shared = tf.while_loop(
        lambda number, *_: number < num_chunks,
        add_chunk,
        (
            0,
            tf.zeros([num_values]),
            [array_of(x) for x in rows],
            [tf.zeros(tf.shape(x)) for x in shared],
        ),
        parallel_iterations=1,  # one chunk at a time stays in the cache
    )
    by_shared = [tf.cast(g, x.dtype) for g, x in zip(by_shared, shared, strict=True)]
    return sums, [*(array.concat() for array in by_rows), *by_shared]

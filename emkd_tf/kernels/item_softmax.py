"""MIP and KD over all items, a chunk of positions at a time, with their gradient."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from emkd_tf.kernels.fusion import fused
from emkd_tf.kernels.precision import rounded
from emkd_tf.kernels.softmax import cross_entropy, gaps_to_the_mean

Tensors = Sequence[tf.Tensor]


class _Head(NamedTuple):
    """How a network scores items: the table [V + 1, d], the same table in the precision
    of the products, and the bias [V + 1] or None."""

    table: tf.Tensor
    factor: tf.Tensor
    bias: tf.Tensor | None


@dataclasses.dataclass(frozen=True)
class ItemSoftmax:
    """Sums of MIP and KD over chosen positions, from all item logits of N networks.

    Logits are as wide as the catalogue: for all positions together they would fill
    memory several times over, and every operation on them would wait for it. So they
    are computed and used one chunk of positions at a time, and the gradient along with
    the values. The gradient is written by hand: the gradients of the separate losses
    would weight, scatter and add tensors [P, V + 1], which take as much memory again.

    Args:
        temperature: of KD; at 1 it needs no softmax of its own.
        distillation_weight: of KD in the total; None leaves KD out.
        precision: of the products with the items' weights.
        chunk_size: largest number of positions per chunk; None for all at once.

    Call:
        states: N tensors [P, d] float, at chosen positions.
        tables, biases: N tensors [V + 1, d] and [V + 1] each that score the items;
            `biases` is empty if items are scored without.
        labels: [P] int32, the original items.
        weights: [P] float, of the positions in each sum.
        Returns [2 + N]: sum of MIP + distillation_weight * KD, KD summed over pairs of
        networks, MIP of each network. Only the first has a gradient, by states, tables
        and biases.

    Source: Du et al. 2023, equations of MIP and KD. Departure: none.
    """

    temperature: float
    distillation_weight: float | None
    precision: str = "float32"
    chunk_size: int | None = None

    def __call__(
        self,
        states: Tensors,
        tables: Tensors,
        biases: Tensors,
        labels: tf.Tensor,
        weights: tf.Tensor,
    ) -> tf.Tensor:
        count = len(states)

        @tf.custom_gradient
        def sums(*inputs: tf.Tensor):
            states, tables = inputs[:count], inputs[count : 2 * count]
            biases = inputs[2 * count :] or [None] * count
            factors = [rounded(table, self.precision) for table in tables]
            heads = [_Head(*x) for x in zip(tables, factors, biases, strict=True)]
            values, gradients = self._sums(states, heads, labels, weights)

            def gradient(upstream: tf.Tensor) -> list[tf.Tensor]:
                return [upstream[0] * g for g in gradients]

            return values, gradient

        return sums(*states, *tables, *biases)

    def _sums(
        self,
        states: Tensors,
        heads: Sequence[_Head],
        labels: tf.Tensor,
        weights: tf.Tensor,
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Returns the sums, and the gradients by states, tables and biases."""
        totals = _of_labels(states, heads[0], labels, weights)
        if self.chunk_size is None:
            values, by_states, by_heads = self._chunk(states, heads, labels, weights)
            return values, [*by_states, *_added(totals, by_heads)]

        num_rows = tf.size(labels)
        num_chunks = tf.maximum(1, (num_rows + self.chunk_size - 1) // self.chunk_size)
        size = (num_rows + num_chunks - 1) // num_chunks  # chunks of about equal size

        def add_chunk(
            number: tf.Tensor, values: tf.Tensor, by_states: list, totals: list
        ) -> tuple:
            own = slice(number * size, (number + 1) * size)
            of_chunk, of_states, of_heads = self._chunk(
                [x[own] for x in states], heads, labels[own], weights[own]
            )
            written = [
                array.write(number, x)
                for array, x in zip(by_states, of_states, strict=True)
            ]
            return number + 1, values + of_chunk, written, _added(totals, of_heads)

        def array_of(x: tf.Tensor) -> tf.TensorArray:
            shape = [None, x.shape[1]]
            return tf.TensorArray(
                x.dtype, num_chunks, element_shape=shape, infer_shape=False
            )

        _, values, by_states, totals = tf.while_loop(
            lambda number, *_: number < num_chunks,
            add_chunk,
            (0, tf.zeros([2 + len(states)]), [array_of(x) for x in states], totals),
            parallel_iterations=1,  # a single chunk stays in the cache
        )
        return values, [*(array.concat() for array in by_states), *totals]

    def _chunk(
        self,
        states: Tensors,
        heads: Sequence[_Head],
        labels: tf.Tensor,
        weights: tf.Tensor,
    ) -> tuple[tf.Tensor, list[tf.Tensor], list[tf.Tensor]]:
        """Returns the sums over some positions, the gradient by their states, and the
        gradient by tables and biases without the labels' part."""
        logits = [self._logits(x, head) for x, head in zip(states, heads, strict=True)]
        losses, kd, slopes = self._losses_and_slopes(logits, labels)
        masked_item = [tf.reduce_sum(weights * loss) for loss in losses]
        kd = tf.reduce_sum(weights * kd)
        total = tf.add_n(masked_item) + (self.distillation_weight or 0.0) * kd

        # Weighting states and their gradients is cheaper than weighting [P, V + 1].
        column = weights[:, tf.newaxis]
        by_states = [
            column * (self._product(slope, head.factor) - tf.gather(head.table, labels))
            for slope, head in zip(slopes, heads, strict=True)
        ]
        by_tables = [
            self._product(slope, column * x, transpose_a=True)
            for slope, x in zip(slopes, states, strict=True)
        ]
        by_biases = [
            self._product(slope, column, transpose_a=True)[:, 0]
            for slope, head in zip(slopes, heads, strict=True)
            if head.bias is not None
        ]
        return (
            tf.stack([total, kd, *masked_item]),
            by_states,
            [*by_tables, *by_biases],
        )

    def _losses_and_slopes(
        self, logits: Tensors, labels: tf.Tensor
    ) -> tuple[Tensors, tf.Tensor, list[tf.Tensor]]:
        """MIP, N times [P], KD [P], and the slope of a position's total by its logits,
        N times [P, V + 1] of `precision`, without the labels' part."""
        losses, probabilities = zip(
            *(cross_entropy(z, labels) for z in logits), strict=True
        )
        if self.distillation_weight is None or len(logits) == 1:
            slopes = [rounded(p, self.precision) for p in probabilities]
            return losses, tf.zeros_like(losses[0]), slopes
        softened = list(probabilities)
        if self.temperature != 1.0:
            softened = [tf.nn.softmax(z * (1.0 / self.temperature)) for z in logits]
        products, *slopes = _products_and_slopes(
            *logits,
            *probabilities,
            *softened,
            temperature=self.temperature,
            weight=self.distillation_weight,
            dtype=tf.as_dtype(self.precision),
        )
        kd = tf.reduce_sum(products, axis=-1) / (self.distillation_weight or 1.0)
        return losses, kd, slopes

    def _logits(self, states: tf.Tensor, head: _Head) -> tf.Tensor:
        logits = self._product(states, head.factor, transpose_b=True)
        return logits if head.bias is None else tf.nn.bias_add(logits, head.bias)

    def _product(self, left: tf.Tensor, right: tf.Tensor, **options: bool) -> tf.Tensor:
        left, right = rounded(left, self.precision), rounded(right, self.precision)
        return tf.cast(tf.matmul(left, right, **options), tf.float32)


@fused
def _products_and_slopes(
    *tensors: tf.Tensor, temperature: float, weight: float, dtype: tf.DType
) -> list[tf.Tensor]:
    """Takes N logits, softmaxes and softened softmaxes, [P, V + 1] each; returns the
    terms that add up to KD, times its weight unless that is zero, and N slopes."""
    third = len(tensors) // 3
    logits, probabilities = tensors[:third], tensors[third : 2 * third]
    softened = tensors[2 * third :]
    gaps = gaps_to_the_mean(softened, (weight or 1.0) * 0.5 / temperature)
    products = tf.add_n([gap * z for gap, z in zip(gaps, logits, strict=True)])
    slopes = list(probabilities)
    if weight:
        pairs = zip(probabilities, gaps, strict=True)
        slopes = [probability + gap for probability, gap in pairs]
    return [products, *(tf.cast(slope, dtype) for slope in slopes)]


def _added(totals: Tensors, values: Tensors) -> list[tf.Tensor]:
    return [total + value for total, value in zip(totals, values, strict=True)]


def _of_labels(
    states: Tensors, head: _Head, labels: tf.Tensor, weights: tf.Tensor
) -> list[tf.Tensor]:
    """Returns the labels' part of the gradients by tables and biases, one row per
    label: a label's logit enters its loss with -1."""
    rows = head.table.shape[0]
    totals = [
        tf.math.unsorted_segment_sum(-weights[:, tf.newaxis] * x, labels, rows)
        for x in states
    ]
    if head.bias is not None:
        by_bias = tf.math.unsorted_segment_sum(-weights, labels, rows)
        totals += [by_bias] * len(states)
    return totals

"""The stream of training batches; everything in it is replayable."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.examples.reads import HostReads, Reads
from emkd_tf.data.examples.transform import (
    CANDIDATES,
    ORDER,
    PARTNERS,
    Transform,
)

_fold_in = tf.random.experimental.stateless_fold_in
# The draws of each transform, () if it draws nothing, and of the partner.
_Draws = tuple[tuple[tf.Tensor | tuple[()], ...], tf.Tensor | tuple[()]]


class Stream:
    """The batches of a training run, over all its passes.

    Example number g of the stream is in pass g // n over the n rows, in an order drawn
    anew for each pass. Batches run on across passes, so all are full and have the same
    shape. Every random number is a function of (seed, pass, example, use); for the
    candidates, of (seed, step).

    Args:
        items: [actions] int32, all histories, as a memory map or an array.
        examples: of `items`; at least one row.
        batch_size: B, the global batch.
        num_steps: batches in the whole stream.
        seed: of all random numbers.
    """

    def __init__(
        self,
        items: np.ndarray,
        examples: Examples,
        *,
        batch_size: int,
        num_steps: int,
        seed: int,
    ):
        self._examples, self._reads = examples, HostReads(items, examples)
        self._batch_size, self._num_steps, self._seed = batch_size, num_steps, seed

    def batches(
        self,
        first_step: int = 0,
        part: tuple[int, int] = (0, 1),
        parts_of_part: int = 1,
    ) -> tf.data.Dataset:
        """Returns the batches from a step to the end.

        Args:
            first_step: batches to skip at the start; the others are the same as in the
                whole stream.
            part: (w, W) for worker w of W, which gets the w-th part of every batch.
            parts_of_part: replicas of a worker, which get its part in as many pieces.

        Returns:
            A dataset of {"item_ids": [b, L], "row": [b]}, int32, with what the
            transforms and the candidates add; b = B / W / parts_of_part; "row" is the
            number of the row, which repeats in batches of more examples than rows.
        """
        share = self._batch_size // part[1]  # of every batch
        transforms = self._examples.transforms

        def numbers_of_step(step: tf.Tensor) -> tf.data.Dataset:
            first = step * self._batch_size + part[0] * share
            return tf.data.Dataset.range(first, first + share)

        dataset = (
            tf.data.Dataset.range(first_step, self._num_steps)
            .flat_map(numbers_of_step)
            .map(self._choose, num_parallel_calls=2)
            .batch(share // parts_of_part, drop_remainder=True)
            .map(lambda *drawn: self._make_batch(self._reads, transforms, *drawn))
            .prefetch(4)
        )
        options = tf.data.Options()
        options.deterministic = True
        # Sharding by file or element would change which examples form a global batch.
        options.experimental_distribute.auto_shard_policy = (
            tf.data.experimental.AutoShardPolicy.OFF
        )
        return dataset.with_options(options)

    def rows_of_step(self, step: int) -> np.ndarray:
        """Returns the rows [B] int64 of batch `step`, counted from 0."""
        first = step * self._batch_size
        numbers = tf.range(first, first + self._batch_size, dtype=tf.int64)
        return np.array([self._row_of(number)[0].numpy() for number in numbers])

    def _seed_of(self, use: int) -> tf.Tensor:
        return tf.constant([self._seed, use], tf.int64)

    def _row_of(self, number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the row of an example of the stream, and the example's pass."""
        num_rows = len(self._examples.rows)
        pass_number, place = number // num_rows, number % num_rows
        row = tf.random.experimental.index_shuffle(
            place, _fold_in(self._seed_of(ORDER), pass_number), max_index=num_rows - 1
        )
        return row, pass_number

    def _choose(self, number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, _Draws]:
        row, pass_number = self._row_of(number)
        return row, number, self._draws(row, pass_number)

    def _draws(self, row: tf.Tensor, pass_number: tf.Tensor) -> _Draws:
        """Draws everything random about one example except its row."""
        transforms, same_target = self._examples.transforms, self._examples.same_target
        draws = tuple(self._draw(t, pass_number, row) for t in transforms)
        if same_target is None:
            return draws, ()
        seed = self._seed_of_example(PARTNERS, pass_number, row)
        return draws, same_target.draw(seed)

    def _seed_of_example(
        self, use: int, pass_number: tf.Tensor, row: tf.Tensor
    ) -> tf.Tensor:
        return _fold_in(_fold_in(self._seed_of(use), pass_number), row)

    def _draw(
        self, transform: Transform, pass_number: tf.Tensor, row: tf.Tensor
    ) -> tf.Tensor | tuple[()]:
        if transform.use is None:
            return ()
        return transform.draw(self._seed_of_example(transform.use, pass_number, row))

    def batch(
        self, rows: tf.Tensor, numbers: tf.Tensor, reads: Reads
    ) -> dict[str, tf.Tensor]:
        """Makes a batch like `batches`, in a program that calls nothing on the host
        except `reads`.

        Args:
            rows: [B] int64, for example from `rows_of_step`.
            numbers: [B] int64 of the examples in the stream.
            reads: where the data of the rows comes from.
        """
        passes = numbers // len(self._examples.rows)
        transforms = [transform.on_device() for transform in self._examples.transforms]
        like = self._draws(tf.constant(0, tf.int64), tf.constant(0, tf.int64))
        if not tf.nest.flatten(like):  # nothing is drawn
            return self._make_batch(reads, transforms, rows, numbers, like)
        draws = tf.map_fn(
            lambda example: self._draws(*example),
            (rows, passes),
            fn_output_signature=tf.nest.map_structure(tf.type_spec_from_value, like),
        )
        return self._make_batch(reads, transforms, rows, numbers, draws)

    def _make_batch(
        self,
        reads: Reads,
        transforms: Sequence[Transform],
        rows: tf.Tensor,
        numbers: tf.Tensor,
        draws: _Draws,
    ) -> dict[str, tf.Tensor]:
        examples = self._examples
        of_transforms, of_partners = draws
        batch = {
            "item_ids": reads.item_ids(rows),
            "row": tf.cast(rows, tf.int32),
        }
        if examples.same_target is not None:
            batch["partner_ids"] = reads.item_ids(reads.partners(rows, of_partners))
        if examples.with_users:
            batch["users"] = reads.users(rows)
        if examples.training_bounds is not None:
            batch["training_items"] = reads.training_items(rows)
        if examples.lists is not None:
            batch["list_items"], batch["list_scores"] = reads.lists(rows)
        for transform, drawn in zip(transforms, of_transforms, strict=True):
            batch = transform(batch, drawn)
        if examples.candidates is not None:
            step = numbers[0] // self._batch_size
            batch |= examples.candidates.draw(_fold_in(self._seed_of(CANDIDATES), step))
        return batch

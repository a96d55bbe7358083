"""The tf.data pipeline of training batches; everything in it is replayable."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from emkd_tf.data.candidates import Candidates
from emkd_tf.data.histories import left_padded
from emkd_tf.data.masking import draw, mask_items
from emkd_tf.data.windows import Windows

# Independent streams of random numbers that share one user seed.
_ORDER, _MASKS, _CANDIDATES = 0, 1, 2
_fold_in = tf.random.experimental.stateless_fold_in


def training_batches(
    items: np.ndarray,
    windows: Windows,
    *,
    num_items: int,
    length: int,
    num_views: int,
    mask_probability: float,
    mask_at_least_one: bool,
    batch_size: int,
    num_steps: int,
    seed: int,
    candidates: Candidates | None = None,
    first_step: int = 0,
    part: tuple[int, int] = (0, 1),
    parts_of_part: int = 1,
) -> tf.data.Dataset:
    """Builds the stream of training batches over all epochs.

    Example number g of the stream is in pass g // n over the n windows, in an order
    drawn anew for each pass; batches run on across passes, so all are full and of one
    shape. Order and masks are functions of (seed, pass, example, view): a stream that
    begins at `first_step` gives what the whole stream gives from there.

    Args:
        items: [actions] int32, all histories, as a memory map or an array.
        windows: of the sequences in `items`.
        num_items: V.
        length: L.
        num_views: M.
        mask_probability: probability that an item is chosen.
        mask_at_least_one: see `masking.mask_items`.
        batch_size: B, the global batch.
        num_steps: batches of the whole stream.
        seed: of order, masks and candidates.
        candidates: to draw anew for every batch, the same for all parts of it.
        first_step: batches to leave out at the start.
        part: (w, W) for worker w of W, which gets the w-th part of every batch.
        parts_of_part: replicas of a worker, which get its part in as many pieces.

    Returns:
        A dataset of {"item_ids": [b, L], "views": [b, M, L], "labels": [b, M, L],
        "row": [b]}, all int32, b = B / W / parts_of_part; "row" is the place in the
        global batch. With `candidates` also what their `draw` returns.
    """
    num_windows = len(windows)
    mask_seed = tf.constant([seed, _MASKS], tf.int64)
    candidate_seed = tf.constant([seed, _CANDIDATES], tf.int64)
    share = batch_size // part[1]  # of every batch

    def choose(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        window, pass_number = _window_of(number, num_windows, seed)
        example_seed = _fold_in(_fold_in(mask_seed, pass_number), window)
        draws = draw(example_seed, num_views=num_views, length=length)
        return window, draws, number

    def make_batch(
        window: tf.Tensor, draws: tf.Tensor, number: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        # By numpy, from the memory map: a constant would hold all items, twice.
        item_ids = tf.numpy_function(
            lambda numbers: left_padded(items, *windows.bounds(numbers), length),
            [window],
            tf.int32,
            stateful=False,
        )
        item_ids.set_shape([share // parts_of_part, length])
        views, labels = mask_items(
            item_ids,
            draws,
            num_items=num_items,
            mask_probability=mask_probability,
            at_least_one=mask_at_least_one,
        )
        batch = {
            "item_ids": item_ids,
            "views": views,
            "labels": labels,
            "row": tf.cast(number % batch_size, tf.int32),
        }
        if candidates:
            step = number[0] // batch_size
            batch |= candidates.draw(_fold_in(candidate_seed, step))
        return batch

    def numbers_of_step(step: tf.Tensor) -> tf.data.Dataset:
        first = step * batch_size + part[0] * share
        return tf.data.Dataset.range(first, first + share)

    dataset = (
        tf.data.Dataset.range(first_step, num_steps)
        .flat_map(numbers_of_step)
        .map(choose, num_parallel_calls=2)
        .batch(share // parts_of_part, drop_remainder=True)
        .map(make_batch)
        .prefetch(4)
    )
    options = tf.data.Options()
    options.deterministic = True
    # Sharding by file or element would change which examples form a global batch.
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.OFF
    )
    return dataset.with_options(options)


def windows_of_step(
    step: int, *, num_windows: int, batch_size: int, seed: int
) -> np.ndarray:
    """Returns the windows [B] int64 of a batch of the stream, by its number from 0."""
    numbers = tf.range(step * batch_size, (step + 1) * batch_size, dtype=tf.int64)
    return np.array([_window_of(n, num_windows, seed)[0].numpy() for n in numbers])


def _window_of(
    number: tf.Tensor, num_windows: int, seed: int
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the window of an example of the stream, and the example's pass."""
    pass_number, place = number // num_windows, number % num_windows
    order_seed = _fold_in(tf.constant([seed, _ORDER], tf.int64), pass_number)
    window = tf.random.experimental.index_shuffle(
        place, order_seed, max_index=num_windows - 1
    )
    return window, pass_number

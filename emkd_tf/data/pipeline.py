"""The tf.data pipeline of training batches; everything in it is replayable."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from emkd_tf.data.masking import draw, mask_items
from emkd_tf.special_ids import PAD_ID

# Independent streams of random numbers that share one user seed.
_ORDER, _MASKS = 0, 1


def training_batches(
    items: np.ndarray,
    windows: tuple[np.ndarray, np.ndarray],
    *,
    num_items: int,
    length: int,
    num_views: int,
    mask_probability: float,
    mask_at_least_one: bool,
    batch_size: int,
    num_steps: int,
    seed: int,
    first_step: int = 0,
) -> tf.data.Dataset:
    """Builds the stream of training batches over all epochs.

    Example number g of the stream is in pass g // n over the n windows, in an order
    drawn anew for each pass; batches run on across passes, so all are full and of one
    shape. Order and masks are functions of (seed, pass, example, view): a stream that
    begins at `first_step` gives what the whole stream gives from there.

    Args:
        items: [actions] int32, all histories.
        windows: starts and ends [n] int64 in `items`.
        num_items: V.
        length: L.
        num_views: M.
        mask_probability: probability that an item is chosen.
        mask_at_least_one: see `masking.mask_items`.
        batch_size: B, the global batch.
        num_steps: batches of the whole stream.
        seed: of order and masks.
        first_step: batches to leave out at the start.

    Returns:
        A dataset of {"item_ids": [B, L], "views": [B, M, L], "labels": [B, M, L],
        "row": [B]}, all int32; "row" is the place in the global batch.
    """
    starts, ends = (tf.constant(bounds, tf.int64) for bounds in windows)
    items = tf.constant(items, tf.int32)
    num_windows = tf.shape(starts, tf.int64)[0]
    order_seed = tf.constant([seed, _ORDER], tf.int64)
    mask_seed = tf.constant([seed, _MASKS], tf.int64)

    fold_in = tf.random.experimental.stateless_fold_in

    def choose_window(number: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        pass_number, place = number // num_windows, number % num_windows
        window = tf.random.experimental.index_shuffle(
            place, fold_in(order_seed, pass_number), max_index=num_windows - 1
        )
        example_seed = fold_in(fold_in(mask_seed, pass_number), window)
        return window, draw(example_seed, num_views=num_views, length=length)

    def make_batch(window: tf.Tensor, draws: tf.Tensor) -> dict[str, tf.Tensor]:
        at = tf.gather(ends, window)[:, tf.newaxis] + tf.range(
            -length, 0, dtype=tf.int64
        )
        is_item = at >= tf.gather(starts, window)[:, tf.newaxis]
        item_ids = tf.where(is_item, tf.gather(items, tf.maximum(at, 0)), PAD_ID)
        views, labels = mask_items(
            item_ids,
            draws,
            num_items=num_items,
            mask_probability=mask_probability,
            at_least_one=mask_at_least_one,
        )
        return {
            "item_ids": item_ids,
            "views": views,
            "labels": labels,
            "row": tf.range(batch_size),
        }

    numbers = tf.data.Dataset.range(first_step * batch_size, num_steps * batch_size)
    dataset = (
        numbers.map(choose_window, num_parallel_calls=2)
        .batch(batch_size, drop_remainder=True)
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

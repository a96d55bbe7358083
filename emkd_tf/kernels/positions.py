"""Selects the positions of a batch that have a label."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.kernels.fusion import rounded_up
from emkd_tf.special_ids import PAD_ID


def chosen_positions(
    labels: tf.Tensor, capacity: int | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the positions that have a label.

    Args:
        labels: [n] int32, PAD_ID where nothing was chosen.
        capacity: length of the result if it must be static; None for as many as there
            are, or a few more under `fusion`. Positions beyond the capacity are left
            out.

    Returns:
        Positions [P] int32, and [P] bool, False for unused places, which hold
        position 0.
    """
    is_chosen = labels != PAD_ID
    if capacity is None:
        positions = tf.cast(tf.where(is_chosen)[:, 0], tf.int32)
        count = tf.size(positions)
        num_places = rounded_up(count)
        positions = tf.pad(positions, [[0, num_places - count]])
        return positions, tf.range(num_places) < count
    count = tf.size(labels)
    positions = tf.sort(tf.where(is_chosen, tf.range(count), count))[:capacity]
    is_used = positions < count
    return tf.where(is_used, positions, 0), is_used


def largest_count(places: int, share: float) -> int:
    """Bounds how many of `places` are chosen if each is chosen independently with
    probability `share`: six standard deviations above the expectation."""
    deviation = (places * share * (1 - share)) ** 0.5
    return min(places, int(places * share + 6 * deviation) + 1)

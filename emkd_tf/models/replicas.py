"""Sums and rows over the global batch, from within one replica of a tf.distribute
strategy."""

from __future__ import annotations

import tensorflow as tf


def num_replicas() -> int:
    """Returns the number of replicas of the current strategy, 1 outside of one."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def global_sum(local: tf.Tensor) -> tf.Tensor:
    """Adds a tensor over the replicas."""
    if num_replicas() == 1:
        return local
    return tf.distribute.get_replica_context().all_reduce("SUM", local)


def global_rows(local: tf.Tensor) -> tf.Tensor:
    """Concatenates the rows of all replicas; gradients flow back to each."""
    if num_replicas() == 1:
        return local
    context = tf.distribute.get_replica_context()
    devices = context.strategy.extended.worker_devices
    if len(devices) == 1:
        # A worker with one device leaves the device unset, but the collective needs it.
        with tf.device(devices[0]):
            local = tf.identity(local)
    return context.all_gather(local, axis=0)


def replica_id() -> tf.Tensor | int:
    """Returns this replica's number in the sync group."""
    if num_replicas() == 1:
        return 0
    return tf.distribute.get_replica_context().replica_id_in_sync_group

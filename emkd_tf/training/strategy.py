"""Chooses the tf.distribute strategy by the devices and workers there are."""

from __future__ import annotations

import os

import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.errors import InputError
from emkd_tf.training.workers import reporting_lost_workers, waiting_for_workers

_UNREADABLE = (ValueError, KeyError, TypeError, tf.errors.InvalidArgumentError)


def make_strategy(
    name: str = "auto", worker_timeout: float = 600.0
) -> tf.distribute.Strategy:
    """Returns the strategy to build and train under.

    Several workers find each other here: call it before anything else in TensorFlow.

    Args:
        name: "auto" takes "multi_worker" if TF_CONFIG is set, "mirrored" if there are
            several GPUs, else "one_device".
        worker_timeout: seconds to wait for the others; then the process ends.

    Raises:
        InputError: "multi_worker" without a usable TF_CONFIG.
        WorkerLostError: another worker was lost while starting.
    """
    has_cluster = bool(os.environ.get("TF_CONFIG"))
    if name == "multi_worker" and not has_cluster:
        raise InputError(
            "`strategy` multi_worker needs TF_CONFIG in the environment; set it on "
            "every worker or use --strategy auto."
        )
    if name == "multi_worker" or (name == "auto" and has_cluster):
        return _multi_worker(worker_timeout)
    gpus = tf.config.list_logical_devices("GPU")
    devices = [d.name for d in gpus or tf.config.list_logical_devices("CPU")]
    if name == "mirrored" or (name == "auto" and len(gpus) > 1):
        return tf.distribute.MirroredStrategy(devices)
    return tf.distribute.OneDeviceStrategy(devices[0])


def require_one_replica(config: Config, strategy: tf.distribute.Strategy) -> None:
    """Refuses a step compiled by XLA on several devices: TensorFlow cannot run one.

    Raises:
        InputError: says how to train instead.
    """
    if config.training.jit_compile and strategy.num_replicas_in_sync > 1:
        raise InputError(
            "`jit_compile` needs one device, and there are "
            f"{strategy.num_replicas_in_sync}; give --strategy one_device, or --fuse "
            "true in its place."
        )


def _multi_worker(timeout: float) -> tf.distribute.Strategy:
    try:
        with reporting_lost_workers(is_alone=False), waiting_for_workers(timeout):
            return tf.distribute.MultiWorkerMirroredStrategy()
    except _UNREADABLE as error:
        raise InputError(
            f"TF_CONFIG cannot be read ({error}); it is JSON with `cluster` and `task`."
        ) from None
    except tf.errors.UnknownError as error:
        raise InputError(
            f"This worker's own address in TF_CONFIG cannot be used ({error.message}); "
            "it names this machine and a free port."
        ) from None


def num_workers(strategy: tf.distribute.Strategy) -> int:
    """Returns how many processes train together."""
    resolver = strategy.cluster_resolver
    spec = resolver and resolver.cluster_spec().as_dict()
    return sum(map(len, spec.values())) if spec else 1


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Tells whether this process writes for all."""
    resolver = strategy.cluster_resolver
    if num_workers(strategy) == 1 or resolver.task_type == "chief":
        return True
    has_chief = "chief" in resolver.cluster_spec().as_dict()
    return not has_chief and resolver.task_id == 0

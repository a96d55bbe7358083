"""Chooses the tf.distribute strategy from what is there."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

import tensorflow as tf

from emkd_tf.errors import InputError, WorkerLostError


def make_strategy(
    name: str = "auto", worker_timeout: float = 600.0
) -> tf.distribute.Strategy:
    """Returns the strategy to build and train under.

    Several workers find each other here: call it before anything else of TensorFlow.

    Args:
        name: "auto" takes "multi_worker" if TF_CONFIG is set, "mirrored" if there are
            several GPUs, else "one_device".

    Raises:
        InputError: "multi_worker" without a TF_CONFIG that can be read.
    """
    has_cluster = bool(os.environ.get("TF_CONFIG"))
    if name == "multi_worker" and not has_cluster:
        raise InputError(
            "`strategy` multi_worker needs TF_CONFIG in the environment; set it on "
            "every worker or use --strategy auto."
        )
    if name == "multi_worker" or (name == "auto" and has_cluster):
        try:
            with _ending_after(worker_timeout):
                return tf.distribute.MultiWorkerMirroredStrategy()
        except (ValueError, KeyError) as error:
            raise InputError(
                f"TF_CONFIG cannot be read ({error}); it is JSON with `cluster` and "
                "`task`."
            ) from None
    gpus = tf.config.list_logical_devices("GPU")
    devices = [d.name for d in gpus or tf.config.list_logical_devices("CPU")]
    if name == "mirrored" or (name == "auto" and len(gpus) > 1):
        return tf.distribute.MirroredStrategy(devices)
    return tf.distribute.OneDeviceStrategy(devices[0])


@contextlib.contextmanager
def _ending_after(seconds: float) -> Iterator[None]:
    """Ends the process if the block takes longer: TensorFlow itself waits for the other
    workers for an hour, and nothing but the process's end stops it."""

    def end() -> None:
        print(
            f"emkd: Not all workers of TF_CONFIG were there within {seconds:.0f} s; "
            "start the same command on all of them.",
            file=sys.stderr,
            flush=True,
        )
        os._exit(WorkerLostError.exit_code)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def num_workers(strategy: tf.distribute.Strategy) -> int:
    """Returns the processes that train together."""
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

"""Chooses the tf.distribute strategy from what is there."""

from __future__ import annotations

import os

import tensorflow as tf

from emkd_tf.errors import InputError


def make_strategy(name: str = "auto") -> tf.distribute.Strategy:
    """Returns the strategy to build and train under.

    Args:
        name: "auto" takes "multi_worker" if TF_CONFIG is set, "mirrored" if there are
            several GPUs, else "one_device".

    Raises:
        InputError: "multi_worker" without TF_CONFIG.
    """
    gpus = tf.config.list_logical_devices("GPU")
    if name == "auto":
        if os.environ.get("TF_CONFIG"):
            name = "multi_worker"
        else:
            name = "mirrored" if len(gpus) > 1 else "one_device"
    if name == "multi_worker":
        if not os.environ.get("TF_CONFIG"):
            raise InputError(
                "`strategy` multi_worker needs TF_CONFIG in the environment; set it on "
                "every worker or use --strategy auto."
            )
        return tf.distribute.MultiWorkerMirroredStrategy()
    devices = gpus or tf.config.list_logical_devices("CPU")
    if name == "mirrored":
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    return tf.distribute.OneDeviceStrategy(devices[0].name)

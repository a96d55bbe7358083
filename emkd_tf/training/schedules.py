"""Learning rates as functions of the step."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf


@tf.keras.utils.register_keras_serializable("emkd_tf")
class Schedule(tf.keras.optimizers.schedules.LearningRateSchedule):
    """Rises to a peak rate, then stays there or falls to zero.

    The rate of step t is peak * min(1, (t + 1) / warmup) * fall(share), where `share`
    is the share of the steps after the warm-up that are done: fall is 1 (constant), 1 -
    share (linear) or (1 + cos(pi share)) / 2 (cosine).

    A function of the step alone: a training that is continued keeps the rate that it
    had.

    Args:
        peak: > 0.
        kind: constant, linear or cosine.
        warmup_steps: steps of the rise, 0 for none.
        num_steps: of the whole training.

    Call:
        step: number of the step from 0. Returns its rate, a float scalar.

    Source: Loshchilov and Hutter 2017 (cosine). Departure: no restarts.
    """

    def __init__(self, peak: float, kind: str, warmup_steps: int, num_steps: int):
        super().__init__()
        self.peak, self.kind = peak, kind
        self.warmup_steps, self.num_steps = warmup_steps, num_steps

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        step = tf.cast(step, tf.float32)
        rise = tf.minimum(1.0, (step + 1.0) / max(1, self.warmup_steps))
        steps = max(1, self.num_steps - self.warmup_steps)
        share = tf.clip_by_value((step - self.warmup_steps) / steps, 0.0, 1.0)
        fall = {
            "constant": tf.ones_like(share),
            "linear": 1.0 - share,
            "cosine": 0.5 * (1.0 + tf.cos(math.pi * share)),
        }
        return self.peak * rise * fall[self.kind]

    def get_config(self) -> dict[str, Any]:
        return {
            "peak": self.peak,
            "kind": self.kind,
            "warmup_steps": self.warmup_steps,
            "num_steps": self.num_steps,
        }


def learning_rate(
    peak: float, kind: str, warmup_steps: int, num_steps: int
) -> float | Schedule:
    """Returns what an optimizer takes: a plain number if the rate is constant."""
    if kind == "constant" and not warmup_steps:
        return peak
    return Schedule(peak, kind, warmup_steps, num_steps)


def current_rate(optimizer: Any) -> float:
    """Returns the rate of an optimizer's last step."""
    rate = optimizer.learning_rate
    # Optimizers of TensorFlow Addons have the schedule there, Keras' the last value.
    value = rate(optimizer.iterations - 1) if callable(rate) else rate
    return float(tf.convert_to_tensor(value))  # also a variable of several workers

"""Estimates what training on a log would take: arithmetic and memory traffic from
formulas, the speed of this machine from a measured product and a measured copy.

The constants were fitted to steps on Beauty with 64 and 256 hidden units (docs/data.md
compares estimates with measurements).
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import numpy as np

from emkd_tf.config import Config
from emkd_tf.config.model_table import MODELS
from emkd_tf.data.examples.rows import ROWS, Windows

_SIDE = 1536  # of the measured product
_COPIED = 16_000_000  # numbers in the measured copy
_PRODUCT_SHARE = 0.9  # share of the large product's speed that smaller ones reach
# Everything besides products, as copies of [chosen, items] and [tokens, hidden units].
_LOGIT_COPIES, _STATE_COPIES = 4, 200
_PROCESS_BYTES = 0.9 * 2**30
_LOGIT_TENSORS, _STATE_TENSORS = 5, 5  # held at a time, per network and per block
_WEIGHT_TENSORS = 4  # weights, gradient and two moments


@dataclasses.dataclass(frozen=True)
class Speed:
    """The speed of this machine: operations per second in a large float32 product, and
    bytes copied per second."""

    product: float
    copy: float

    @classmethod
    def measure(cls) -> Speed:
        """Measures for about a second."""
        rng = np.random.default_rng(0)
        factor = rng.random((_SIDE, _SIDE), np.float32)
        source = np.ones(_COPIED, np.float32)
        target = np.empty_like(source)
        product = _least_seconds(lambda: factor @ factor)
        copy = _least_seconds(lambda: np.copyto(target, source))
        return cls(2 * _SIDE**3 / product, source.nbytes / copy)


def _least_seconds(run: Callable[[], object]) -> float:
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


@dataclasses.dataclass(frozen=True)
class TrainingCost:
    """An estimate.

    Attributes:
        windows: training windows per epoch.
        steps: per epoch.
        seconds: per epoch, on the processors of this machine.
        memory_gib: of the process.
    """

    windows: int
    steps: int
    seconds: float
    memory_gib: float


def training_cost(
    config: Config, lengths: np.ndarray, num_items: int, speed: Speed
) -> TrainingCost:
    """Estimates the cost of an epoch.

    Args:
        config: the model and its training.
        lengths: [users] int64, number of each user's actions that are trained on.
        num_items: V.
        speed: of this machine.
    """
    data, model, objective = config.data, config.model, config.objective
    batch, d = config.training.batch_size, model.hidden_units
    networks, blocks = model.num_networks, model.num_blocks
    entry = MODELS[model.model]
    reads, rows = entry.reads, entry.rows or data.rows
    is_masked = "window_step" in reads and objective.task == "masked_item"
    ends = np.cumsum(lengths)
    bounds = (ends - lengths, ends, data.max_length)
    windows = len(
        Windows(*bounds, data.window_step) if is_masked else ROWS[rows](*bounds)
    )
    steps = -(-windows // batch)
    length = float(np.minimum(lengths, data.max_length).mean())
    has_contrast = "contrast_weight" in reads and objective.contrast_weight > 0
    views = objective.num_views if "num_views" in reads else 1
    if is_masked:
        tokens = batch * (1 + views) * length
        chosen = batch * views * length * objective.mask_probability
    else:  # the next item at every place, or only after the last one
        tokens = batch * (3 if has_contrast else 1) * length
        chosen = batch * (1 if rows == "prefix" else length)
    scored = num_items
    if objective.item_loss == "sampled":
        scored = min(num_items, objective.num_sampled)
    logits, states = networks * chosen * scored, networks * blocks * tokens * d
    forward = states * (24 * d + 4 * length) + 2 * logits * d
    if has_contrast:
        forward += 2 * networks**2 * batch**2 * data.max_length * d
    seconds = 3 * forward / (_PRODUCT_SHARE * speed.product)
    seconds += 4 * (_LOGIT_COPIES * logits + _STATE_COPIES * states) / speed.copy
    tables = num_items * d * (1 if model.tie_item_embeddings else 2)
    weights = networks * (tables + blocks * 12 * d * d)
    held = _WEIGHT_TENSORS * weights + _LOGIT_TENSORS * logits + _STATE_TENSORS * states
    memory = (_PROCESS_BYTES + 4 * held) / 2**30
    return TrainingCost(windows, steps, steps * seconds, memory)

"""How the networks are trained."""

from __future__ import annotations

import dataclasses
from typing import Literal

from emkd_tf.config.rules import require, require_at_least, require_choices


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How the networks are trained.

    Attributes:
        epochs: passes over the training rows; 0 runs as many as `steps` needs.
        steps: with `epochs` 0, the minimum number of steps: a small log takes more
            passes than a large one.
        batch_size: B, training rows per step, over all replicas.
        optimizer: adam; lazy_adam, which updates only the rows of tables that a step
            uses; or the name of a Keras optimizer, such as SGD or Addons>LAMB.
        learning_rate: learning rate, > 0; with a schedule, its peak.
        schedule: learning rate after the warm-up: constant, or a linear or cosine decay
            to zero at the end of the last epoch.
        warmup_steps: steps over which the learning rate rises from zero.
        beta_2: decay of the second moments of adam and lazy_adam, in [0, 1).
        weight_decay: weight decay, for optimizers that have one. Keras optimizers,
            including adam, apply it to the weights themselves (decoupled), not to
            biases and norms.
        weight_average: decay per step of a moving average of the weights, which is then
            validated, kept and exported; 0 = off, .999 is usual.
        seed: random seed of weights, data order, masks and dropout.
        validation_every: epochs between validations.
        pretrain_epochs: passes of the pre-training stage; 0 skips it.
        pretrain_batch_size: prefixes of histories per step of the pre-training stage.
        patience: validations without a better NDCG@10 before training stops; 0 = off.
        checkpoint_steps: steps between checkpoints; each validation is followed by one
            as well.
        resume: auto, continue an unfinished run with the same settings; never, always
            start a new one.
        on_nonfinite: if a loss is not finite, stop, or skip the batch: its gradient
            counts as zero.
        max_skipped: batches that a run may skip before it stops.
        worker_timeout: seconds to wait for the other workers at the start.
        strategy: tf.distribute strategy: auto, one_device, mirrored or multi_worker.
        jit_compile: compile the whole step with XLA; shapes are then static, so padding
            is computed too.
        precision: precision of the networks' matrix products, float32 or bfloat16;
            weights, softmax, norms and losses stay float32.
        fuse: compile the element-wise formulas between matrix products with XLA.
        deterministic: give equal results for equal seeds; some operations are slower.
        profile: first and last step to record for TensorBoard's profiler, such as
            20,30.
    """

    epochs: int = 250
    steps: int = 2000
    batch_size: int = 256
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    warmup_steps: int = 0
    beta_2: float = 0.999
    weight_decay: float = 0.0
    weight_average: float = 0.0
    seed: int = 0
    validation_every: int = 1
    pretrain_epochs: int = 10
    pretrain_batch_size: int = 256
    patience: int = 0
    checkpoint_steps: int = 200
    resume: Literal["auto", "never"] = "auto"
    on_nonfinite: Literal["stop", "skip"] = "stop"
    max_skipped: int = 10
    worker_timeout: int = 600
    strategy: Literal["auto", "one_device", "mirrored", "multi_worker"] = "auto"
    jit_compile: bool = False
    precision: Literal["float32", "bfloat16"] = "float32"
    fuse: bool = False
    deterministic: bool = False
    profile: str | None = None

    def __post_init__(self) -> None:
        require_choices(self)
        require_at_least(self, 1, "steps", "batch_size", "validation_every")
        require_at_least(self, 0, "epochs")
        require_at_least(self, 1, "checkpoint_steps", "worker_timeout")
        require_at_least(self, 1, "pretrain_batch_size")
        require_at_least(self, 0, "pretrain_epochs")
        require_at_least(self, 0, "patience", "seed", "max_skipped", "weight_decay")
        require(self.seed < 2**31, "seed", "below 2^31", self.seed)
        require(0 <= self.beta_2 < 1, "beta_2", "in [0, 1)", self.beta_2)
        rule = 0 <= self.weight_average < 1
        require(rule, "weight_average", "in [0, 1)", self.weight_average)
        require(self.learning_rate > 0, "learning_rate", "above 0", self.learning_rate)
        require_at_least(self, 0, "warmup_steps")
        self.profiled_steps()

    def profiled_steps(self) -> tuple[int, int] | None:
        """Returns the steps of `profile`, counted from 1."""
        if self.profile is None:
            return None
        rule = "two numbers of steps in their order, such as 20,30"
        texts = [text.strip() for text in self.profile.split(",")]
        is_number = all(text.isdecimal() and text.isascii() for text in texts)
        require(is_number and len(texts) == 2, "profile", rule, self.profile)
        first, last = map(int, texts)
        require(1 <= first <= last, "profile", rule, self.profile)
        return first, last

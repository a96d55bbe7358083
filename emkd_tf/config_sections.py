"""The sections of a config: typed settings with the paper's values for Beauty as
defaults."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from emkd_tf.errors import InputError

PROTOCOLS = ("unseen", "window", "all")
STRATEGIES = ("auto", "one_device", "mirrored", "multi_worker")
RESUME = ("auto", "never")
PRECISIONS = ("float32", "bfloat16")
ON_NONFINITE = ("stop", "skip")
ITEM_LOSSES = ("full", "sampled")
_LONGEST_NAME = 100  # bytes; a file system takes 255, and names get endings of ours


def _require(condition: bool, name: str, rule: str, value: Any) -> None:
    if not condition:
        raise InputError(f"`{name}` must be {rule}, got {value!r}.")


def _require_at_least(section: Any, minimum: int, *names: str) -> None:
    for name in names:
        value = getattr(section, name)
        _require(value >= minimum, name, f"at least {minimum}", value)


def _require_one_of(section: Any, name: str, choices: tuple[str, ...]) -> None:
    value = getattr(section, name)
    _require(value in choices, name, f"one of {', '.join(choices)}", value)


def _require_folder_name(section: Any, name: str) -> None:
    value = getattr(section, name)
    is_plain = value.isprintable() and value == Path(value).name not in ("", "..")
    _require(
        is_plain and len(value.encode()) <= _LONGEST_NAME,
        name,
        f"a plain folder name of at most {_LONGEST_NAME} bytes",
        value,
    )


@dataclasses.dataclass(frozen=True)
class DataConfig:
    """Where the interactions come from and how they become histories.

    Attributes:
        dataset: name of a known dataset; of a log of your own its name, the file's if
            not given.
        data_dir: folder of raw files; $EMKD_DATA_DIR or `<cache_dir>/raw` if not given.
        cache_dir: folder of prepared datasets; $EMKD_CACHE_DIR or the user's cache.
        interactions: CSV or Parquet file of your own, one row an action.
        attributes: CSV, Parquet or JSON file of item attributes of your own.
        user_column: column of user ids; found by its usual names if not given.
        item_column: column of item ids; likewise.
        time_column: column of times, numbers or (in Parquet) dates; likewise.
        min_user_actions: k-core: users with fewer actions are dropped, to a fixed
            point.
        min_item_actions: k-core: items with fewer actions are dropped, to a fixed
            point.
        max_length: L, the items of a sequence that the encoders see.
        window_step: actions between training windows of a sequence longer than L.
    """

    dataset: str = "sample"
    data_dir: str | None = None
    cache_dir: str | None = None
    interactions: str | None = None
    attributes: str | None = None
    user_column: str | None = None
    item_column: str | None = None
    time_column: str | None = None
    min_user_actions: int = 5
    min_item_actions: int = 5
    max_length: int = 15
    window_step: int = 1

    def __post_init__(self) -> None:
        _require_folder_name(self, "dataset")
        _require_at_least(self, 0, "min_user_actions", "min_item_actions")
        _require_at_least(self, 2, "max_length")
        _require_at_least(self, 1, "window_step")
        _require(
            self.attributes is None or self.interactions is not None,
            "attributes",
            "given together with `interactions`",
            self.attributes,
        )


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """The networks.

    Attributes:
        num_networks: N, parallel networks.
        hidden_units: d, width of the hidden states; a multiple of `num_heads`.
        num_blocks: transformer blocks of each network.
        num_heads: attention heads of each block.
        dropout: probability of dropping a value, everywhere, in [0, 1).
        tie_item_embeddings: score items with the input embedding, not with own weights.
    """

    num_networks: int = 3
    hidden_units: int = 256
    num_blocks: int = 2
    num_heads: int = 2
    dropout: float = 0.3
    tie_item_embeddings: bool = False

    def __post_init__(self) -> None:
        _require_at_least(
            self, 1, "num_networks", "hidden_units", "num_blocks", "num_heads"
        )
        _require(
            self.hidden_units % self.num_heads == 0,
            "hidden_units",
            f"a multiple of `num_heads` ({self.num_heads})",
            self.hidden_units,
        )
        _require(0 <= self.dropout < 1, "dropout", "in [0, 1)", self.dropout)


@dataclasses.dataclass(frozen=True)
class ObjectiveConfig:
    """Terms of the training loss; the paper's symbols in brackets.

    Attributes:
        num_views: [M] masked views of each sequence and step.
        mask_probability: [rho] probability that an item is chosen, in (0, 1).
        mask_at_least_one: choose one item at random in views that would have none; the
            paper's views may have none.
        temperature: [tau] of contrast and distillation, > 0.
        contrast_weight: [lambda] on ICL + CCL.
        distillation_weight: [mu] on distillation.
        attribute_prediction: the AP term.
        intra_contrast: the ICL term.
        cross_contrast: the CCL term.
        distillation: the KD term.
        contrast_self_term: keep exp(0) for the anchor itself among the negatives, as
            the authors' release does.
        item_loss: full scores all items at every chosen position (MIP, KD), sampled
            scores the original item and candidates that are drawn anew at each step.
        num_sampled: [S] candidates of a step, shared by its chosen positions; for a
            sampled item loss.
    """

    num_views: int = 8
    mask_probability: float = 0.15
    mask_at_least_one: bool = False
    temperature: float = 0.3
    contrast_weight: float = 0.01
    distillation_weight: float = 0.001
    attribute_prediction: bool = True
    intra_contrast: bool = True
    cross_contrast: bool = True
    distillation: bool = True
    contrast_self_term: bool = False
    item_loss: str = "full"
    num_sampled: int = 2048

    def __post_init__(self) -> None:
        _require_at_least(self, 1, "num_views", "num_sampled")
        _require_one_of(self, "item_loss", ITEM_LOSSES)
        _require_at_least(self, 0, "contrast_weight", "distillation_weight")
        _require(
            0 < self.mask_probability < 1,
            "mask_probability",
            "in (0, 1)",
            self.mask_probability,
        )
        _require(self.temperature > 0, "temperature", "above 0", self.temperature)


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How the networks are trained.

    Attributes:
        epochs: passes over the training windows.
        batch_size: B, windows of a step, over all replicas.
        optimizer: adam; lazy_adam, which updates only the rows of tables that a step
            uses; or one that Keras knows by name, such as SGD or Addons>LAMB.
        learning_rate: of the optimizer, constant, > 0.
        weight_decay: of optimizers that have one (AdamW, LAMB), in their own terms.
        seed: of the weights, the order, the masks and the dropout.
        validation_every: epochs between two validations.
        patience: validations without a better NDCG@10 before the training stops; 0 =
            off.
        checkpoint_steps: steps between two checkpoints of the training; one follows
            each validation, too.
        resume: auto continues an unfinished run of the same settings, never does not.
        on_nonfinite: stop at a loss that is not finite, or skip the batch: its gradient
            counts as zero.
        max_skipped: batches that a run may skip.
        worker_timeout: seconds to wait at the start for the other workers.
        strategy: tf.distribute strategy: auto, one_device, mirrored or multi_worker.
        jit_compile: compile the step with XLA; static shapes, padding is computed.
        precision: of the networks' matrix products, float32 or bfloat16; weights,
            softmax, norms and losses stay float32.
        fuse: compile the element-wise formulas between matrix products with XLA.
        deterministic: equal results from equal seeds, some operations slower.
    """

    epochs: int = 250
    batch_size: int = 256
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    seed: int = 0
    validation_every: int = 1
    patience: int = 0
    checkpoint_steps: int = 200
    resume: str = "auto"
    on_nonfinite: str = "stop"
    max_skipped: int = 10
    worker_timeout: int = 600
    strategy: str = "auto"
    jit_compile: bool = False
    precision: str = "float32"
    fuse: bool = False
    deterministic: bool = False

    def __post_init__(self) -> None:
        _require_at_least(self, 1, "epochs", "batch_size", "validation_every")
        _require_at_least(self, 1, "checkpoint_steps", "worker_timeout")
        _require_at_least(self, 0, "patience", "seed", "max_skipped", "weight_decay")
        _require(self.seed < 2**31, "seed", "below 2^31", self.seed)
        _require(self.learning_rate > 0, "learning_rate", "above 0", self.learning_rate)
        _require_one_of(self, "strategy", STRATEGIES)
        _require_one_of(self, "resume", RESUME)
        _require_one_of(self, "precision", PRECISIONS)
        _require_one_of(self, "on_nonfinite", ON_NONFINITE)


@dataclasses.dataclass(frozen=True)
class RunConfig:
    """What is kept of a run.

    Attributes:
        name: of the run directory and the export; dataset, time and seed if not given.
        runs_dir: folder of run directories.
        protocol: evaluation protocol of the headline: unseen, window or all.
        export: write a SavedModel after the training.
        saved_models_dir: folder of exports.
        k: items of a list that an exported model returns.
    """

    name: str | None = None
    runs_dir: str = "runs"
    protocol: str = "unseen"
    export: bool = True
    saved_models_dir: str = "saved_models"
    k: int = 100

    def __post_init__(self) -> None:
        _require_at_least(self, 1, "k")
        _require_one_of(self, "protocol", PROTOCOLS)
        if self.name is not None:
            _require_folder_name(self, "name")

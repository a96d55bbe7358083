"""Which model, and its networks."""

from __future__ import annotations

import dataclasses
from typing import Literal

from emkd_tf.config.encoder_table import ENCODERS
from emkd_tf.config.model_table import DEFAULT_MODEL, MODELS
from emkd_tf.config.rules import (
    require,
    require_at_least,
    require_choices,
    require_one_of,
)


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """The networks.

    Attributes:
        model: name of the model, see docs/models.md.
        encoder: encoder to use instead of the model's own; several names, separated by
            commas, are given to the networks in turn.
        num_networks: N, number of parallel networks.
        hidden_units: d, width of the hidden states; a multiple of `num_heads`.
        num_blocks: transformer blocks of each network.
        num_heads: attention heads of each block.
        dropout: probability of dropping a value, everywhere, in [0, 1).
        tie_item_embeddings: score items with the input embedding instead of separate
            weights.
        initialization: initialization of matrices and embeddings: normal, N(0, 0.02);
            xavier; or release, PyTorch's defaults: embeddings N(0, 1), matrices uniform
            within 1 / sqrt(inputs). By default what is usual for each part of a
            network.
        output_projection: project the attention's output before it is added to its
            input.
        recurrent_units: width of the recurrent state.
        window: newest items that the convolutions see.
        vertical_filters: vertical filters over the window.
        horizontal_filters: horizontal filters over the window, for each height.
        smoothing: pseudo-actions added to those that follow an item, distributed by
            popularity, > 0.
        num_neighbours: most similar items kept for each item.
        shrinkage: added to the denominator of the cosine, so that items with few users
            count less.
        num_last: newest items of a history that count.
        decay: weight of an item relative to the next newer one, in (0, 1].
        user_vectors: add a vector learned for each training user to the history;
            unknown users have none.
        attribute_embeddings: make an item the sum of its own embedding and those of its
            attributes, if there are any.
        scale_embeddings: multiply item embeddings by sqrt(d) before position embeddings
            are added.
        attribute_pooling: how an item's attributes become one vector: attention, by
            learned weights, or mean.
        memory_slots: rows of the memory that states read from; 0 for no memory.
        memory_dropout: probability of dropping a value read from the memory, in [0, 1).
        initial_bound: initialize all weights, including those of norms, uniformly
            between minus and plus this; 0 keeps each layer's own initialization.
    """

    model: str = DEFAULT_MODEL
    encoder: str | None = None
    num_networks: int = 3
    hidden_units: int = 256
    num_blocks: int = 2
    num_heads: int = 2
    dropout: float = 0.3
    tie_item_embeddings: bool = False
    initialization: Literal["normal", "xavier", "release"] | None = None
    output_projection: bool = True
    recurrent_units: int = 128
    window: int = 5
    vertical_filters: int = 4
    horizontal_filters: int = 16
    smoothing: float = 1.0
    num_neighbours: int = 200
    shrinkage: float = 20.0
    num_last: int = 10
    decay: float = 0.5
    user_vectors: bool = False
    attribute_embeddings: bool = False
    scale_embeddings: bool = False
    attribute_pooling: Literal["attention", "mean"] = "attention"
    memory_slots: int = 64
    memory_dropout: float = 0.2
    initial_bound: float = 0.0

    def __post_init__(self) -> None:
        require_choices(self)
        require_one_of("model", MODELS, self.model)
        names = [] if self.encoder is None else self.encoder.split(",")
        rule = f"some of {', '.join(ENCODERS)}, joined by commas"
        require(set(names) <= set(ENCODERS), "encoder", rule, self.encoder)
        require_at_least(self, 1, "recurrent_units", "window")
        require_at_least(self, 1, "vertical_filters", "horizontal_filters")
        require_at_least(
            self, 1, "num_networks", "hidden_units", "num_blocks", "num_heads"
        )
        require(
            self.hidden_units % self.num_heads == 0,
            "hidden_units",
            f"a multiple of `num_heads` ({self.num_heads})",
            self.hidden_units,
        )
        require(self.smoothing > 0, "smoothing", "above 0", self.smoothing)
        require_at_least(self, 1, "num_neighbours", "num_last")
        require_at_least(self, 0, "shrinkage")
        require(0 < self.decay <= 1, "decay", "in (0, 1]", self.decay)
        require_at_least(self, 0, "memory_slots", "initial_bound")
        for name in ("dropout", "memory_dropout"):
            rate = getattr(self, name)
            require(0 <= rate < 1, name, "in [0, 1)", rate)

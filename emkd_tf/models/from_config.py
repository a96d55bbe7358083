"""What all models read from a config in the same way: towers and how to compute."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.config.encoder_table import ENCODERS, encoder_class
from emkd_tf.data.attributes import attribute_ids
from emkd_tf.data.histories import Histories
from emkd_tf.encoders.attributes import AttributeEmbedding
from emkd_tf.errors import InputError
from emkd_tf.kernels.compute import Compute
from emkd_tf.models.tower import Tower


def compute_of(config: Config) -> Compute:
    """Returns how to compute."""
    training = config.training
    return Compute(
        precision=training.precision,
        static_shapes=training.jit_compile,
        fuse=training.fuse,
    )


def make_towers(
    config: Config,
    histories: Histories,
    encoder: str,
    *,
    mask_query: bool = False,
    use_item_bias: bool = False,
    head: bool = False,
    form: Callable[..., Tower] = Tower,
    width: int | None = None,
) -> list[Tower]:
    """Builds `num_networks` towers that start from different weights.

    Args:
        config: of the run.
        histories: for the size of the catalogue.
        encoder: default, a name in ENCODERS, if the settings name none.
        mask_query, use_item_bias, head: see `Tower`.
        form: makes a tower from these arguments of `Tower`.
        width: of the encoder, if not d.
    """
    settings = config.model
    seeds = network_seeds(config.training.seed, settings.num_networks)
    names = (settings.encoder or encoder).split(",")
    return [
        form(
            make_encoder(config, name, seed, width),
            **_attributes(config, histories, seed),
            num_items=histories.num_items,
            max_length=config.data.max_length,
            dropout=settings.dropout,
            seed=seed,
            mask_query=mask_query,
            tie_item_embeddings=settings.tie_item_embeddings,
            use_item_bias=use_item_bias,
            head=head,
            initialization=settings.initialization or "normal",
            scale_embeddings=settings.scale_embeddings,
            compute=compute_of(config),
            name=f"network_{number}",
        )
        for number, (seed, name) in enumerate(zip(seeds, cycle(names)), 1)
    ]


def _attributes(config: Config, histories: Histories, seed: int) -> dict[str, Any]:
    """Returns the argument that makes a tower's items the sum of their own and their
    attributes' vectors, if this is switched on and there are attributes."""
    if not (config.model.attribute_embeddings and histories.num_attributes):
        return {}
    width = config.model.hidden_units
    known = attributes_of(histories)
    return {"attributes": AttributeEmbedding(**known, hidden_units=width, seed=seed)}


def require_causal(config: Config, hint: str = ", or give `rows` prefix") -> None:
    """Raises an InputError if a chosen encoder lets states see later items.

    Args:
        config: of the run.
        hint: another way to fix it.
    """
    for name in (config.model.encoder or "").split(","):
        if name and not encoder_class(name).IS_CAUSAL:
            causal = [key for key in ENCODERS if encoder_class(key).IS_CAUSAL]
            raise InputError(
                f"`encoder` {name} sees the items that it should predict: choose of "
                f"{', '.join(causal)}{hint}."
            )


def make_encoder(
    config: Config, name: str, seed: int, width: int | None = None
) -> tf.keras.layers.Layer:
    """Builds the encoder `name` of ENCODERS, of `width` or else d, with the settings
    that it takes; a setting of None leaves the encoder's own default."""
    settings = {key: getattr(config.model, key) for key in ENCODERS[name].reads}
    return encoder_class(name)(
        hidden_units=width or config.model.hidden_units,
        seed=seed,
        precision=config.training.precision,
        **{key: value for key, value in settings.items() if value is not None},
    )


def require_attributes(config: Config, histories: Histories) -> None:
    """Refuses a dataset without attributes.

    Raises:
        InputError: the dataset has none.
    """
    if histories.num_attributes == 0:
        raise InputError(
            f"`model` {config.model.model} reads attributes of the items, and "
            f"{config.data.dataset} has none; give them with --attributes FILE beside "
            "--interactions, or choose another --model."
        )


def attributes_of(histories: Histories) -> dict[str, Any]:
    """Returns `attribute_ids` [V + 2, K] int32, each item's attributes, numbered from
    1, and `num_attributes`, A."""
    ids = attribute_ids(histories.attribute_offsets, histories.attribute_values)
    return {"attribute_ids": ids, "num_attributes": histories.num_attributes}


def training_options(config: Config) -> dict[str, Any]:
    """Returns the arguments that every `Recommender` takes."""
    return {
        "seed": config.training.seed,
        "compute": compute_of(config),
        "skip_nonfinite": config.training.on_nonfinite == "skip",
        "l2": config.objective.l2,
    }


def network_seeds(seed: int, num_networks: int) -> list[int]:
    """Derives the networks' own seeds from the model's seed."""
    return np.random.SeedSequence(seed).generate_state(num_networks).tolist()

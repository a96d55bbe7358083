"""Small models built by hand."""

import numpy as np
import tensorflow as tf

from emkd_tf.config.encoder_table import encoder_class
from emkd_tf.kernels.compute import Compute
from emkd_tf.models.emkd import EMKD
from emkd_tf.models.from_config import network_seeds
from emkd_tf.models.fused_tower import FusedTower
from emkd_tf.models.item_losses import FullSoftmax
from emkd_tf.models.loss_weights import LossWeights
from emkd_tf.models.tower import Tower


def make_tower(
    num_items=30,
    max_length=6,
    hidden_units=8,
    num_blocks=1,
    num_heads=2,
    seed=0,
    encoder="bidirectional",
    compute=None,
    **options,
):
    """A tower with an encoder of blocks; `options` of `Tower`."""
    compute = compute or Compute()
    return Tower(
        encoder_class(encoder)(
            hidden_units=hidden_units,
            num_blocks=num_blocks,
            num_heads=num_heads,
            seed=seed,
            precision=compute.precision,
        ),
        num_items=num_items,
        max_length=max_length,
        seed=seed,
        compute=compute,
        **options,
    )


def make_towers(num_networks, encoder, **options):
    """Towers without an item bias, which start different; `options` of `make_tower`."""
    return [
        make_tower(
            encoder=encoder,
            seed=number,
            name=f"network_{number}",
            **{"use_item_bias": False, **options},
        )
        for number in range(1, num_networks + 1)
    ]


def losses_and_gradients(model, batch, dropout_seed=None, jit_compile=False):
    """The losses of a batch and the gradients of their total, as one list of tensors,
    computed step by step or by a compiled graph."""

    def step(batch):
        with tf.GradientTape() as tape:
            losses = model.compute_losses(batch, dropout_seed)
        gradients = tape.gradient(losses["total"], model.trainable_variables)
        return [*losses.values(), *map(tf.convert_to_tensor, gradients)]

    return (tf.function(step, jit_compile=True) if jit_compile else step)(batch)


def make_fused_tower(num_items=30, hidden_units=4, seed=0, compute=None, **options):
    """A tower that fuses items with some of five attributes; `options` of
    `FusedTower`."""
    rng = np.random.default_rng(3)
    attributes = rng.random((num_items + 2, 5)) < 0.3
    attributes[0] = attributes[-1] = False
    encoder = encoder_class("causal_relu")(
        hidden_units=2 * hidden_units, num_blocks=1, num_heads=2, seed=seed
    )
    return FusedTower(
        encoder,
        num_items=num_items,
        attribute_ids=attribute_lists(attributes),
        num_attributes=5,
        seed=seed,
        compute=compute or Compute(),
        **{"max_length": 5, "memory_slots": 3, "use_item_bias": False, **options},
    )


def make_emkd(
    num_networks=3,
    num_items=30,
    attributes=None,
    compute=None,
    seed=0,
    item_loss=FullSoftmax,
    distillation_weight=0.001,
    loss_weights=None,
    skip_nonfinite=False,
    tie_item_embeddings=False,
    **options,
):
    """EMKD; `attributes` [V + 2, A] multi-hot; `options` of `make_tower`."""
    compute, loss_weights = compute or Compute(), loss_weights or LossWeights()
    if attributes is None:
        attributes = np.zeros([num_items + 2, 0])
    towers = [
        make_tower(
            num_items=num_items,
            seed=network_seed,
            compute=compute,
            mask_query=True,
            tie_item_embeddings=tie_item_embeddings,
            name=f"network_{number}",
            **options,
        )
        for number, network_seed in enumerate(network_seeds(seed, num_networks), 1)
    ]
    return EMKD(
        towers,
        item_loss(loss_weights.temperature, distillation_weight, compute),
        attribute_ids=attribute_lists(attributes),
        num_attributes=attributes.shape[1],
        loss_weights=loss_weights,
        seed=seed,
        compute=compute,
        skip_nonfinite=skip_nonfinite,
    )


def attribute_lists(attributes):
    """[n, A] multi-hot to [n, K] numbers from 1, 0 behind the last."""
    lists = [np.flatnonzero(row) + 1 for row in attributes]
    table = np.zeros([len(lists), max(1, *map(len, lists))], np.int32)
    for row, numbers in zip(table, lists, strict=True):
        row[: len(numbers)] = numbers
    return table


def terms_of(losses):
    """Returns the names of losses, without the parts of single networks."""
    return {name for name in losses if not name.startswith("network_")}

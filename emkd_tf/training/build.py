"""Unpacks a config into a model, its training data and its strategy."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.data.attributes import multi_hot
from emkd_tf.data.histories import Histories
from emkd_tf.data.pipeline import training_batches
from emkd_tf.data.windows import training_windows
from emkd_tf.models.emkd import EMKD
from emkd_tf.models.losses import EnsembleLosses
from emkd_tf.training.optimizers import Adam


def build_model(config: Config, histories: Histories) -> EMKD:
    """Builds the model of a config for a dataset; call it under a strategy's scope."""
    model, objective = config.model, config.objective
    one_a_view = objective.mask_at_least_one / config.data.max_length
    losses = EnsembleLosses(
        temperature=objective.temperature,
        contrast_weight=objective.contrast_weight,
        distillation_weight=objective.distillation_weight,
        attribute_prediction=objective.attribute_prediction,
        intra_contrast=objective.intra_contrast,
        cross_contrast=objective.cross_contrast,
        distillation=objective.distillation,
        contrast_self_term=objective.contrast_self_term,
        chosen_share=min(1.0, objective.mask_probability + one_a_view),
    )
    return EMKD(
        num_items=histories.num_items,
        max_length=config.data.max_length,
        item_attributes=multi_hot(
            histories.attribute_offsets,
            histories.attribute_values,
            histories.num_attributes,
        ),
        num_networks=model.num_networks,
        hidden_units=model.hidden_units,
        num_blocks=model.num_blocks,
        num_heads=model.num_heads,
        dropout=model.dropout,
        tie_item_embeddings=model.tie_item_embeddings,
        losses=losses,
        seed=config.training.seed,
        static_shapes=config.training.jit_compile,
        fuse=config.training.fuse,
    )


def compile_model(model: EMKD, config: Config) -> None:
    """Gives the model its optimizer; call it under the strategy's scope."""
    model.compile(
        optimizer=Adam(config.training.learning_rate),
        jit_compile=config.training.jit_compile,
    )


def build_batches(config: Config, histories: Histories) -> tuple[tf.data.Dataset, int]:
    """Returns the batches of all epochs and the steps of one epoch."""
    windows = training_windows(
        *histories.training_bounds(), config.data.max_length, config.data.window_step
    )
    training, objective = config.training, config.objective
    steps = -(-len(windows[0]) // training.batch_size)
    dataset = training_batches(
        histories.items,
        windows,
        num_items=histories.num_items,
        length=config.data.max_length,
        num_views=objective.num_views,
        mask_probability=objective.mask_probability,
        mask_at_least_one=objective.mask_at_least_one,
        batch_size=training.batch_size,
        num_steps=steps * training.epochs,
        seed=training.seed,
    )
    return dataset, steps

"""Unpacks a config into a model, its training data and its strategy."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.config import Config
from emkd_tf.data.attributes import multi_hot
from emkd_tf.data.candidates import Candidates
from emkd_tf.data.histories import Histories
from emkd_tf.data.pipeline import training_batches, windows_of_step
from emkd_tf.data.windows import Windows
from emkd_tf.errors import InputError
from emkd_tf.models.emkd import EMKD
from emkd_tf.models.losses import EnsembleLosses
from emkd_tf.training.optimizers import create_slots, make_optimizer


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
        precision=config.training.precision,
        fuse=config.training.fuse,
        skip_nonfinite=config.training.on_nonfinite == "skip",
    )


def compile_model(model: EMKD, config: Config) -> None:
    """Gives the model its optimizer; call it under the strategy's scope."""
    training = config.training
    optimizer = make_optimizer(
        training.optimizer, training.learning_rate, training.weight_decay
    )
    create_slots(optimizer, model.trainable_variables)
    model.compile(optimizer=optimizer, jit_compile=training.jit_compile)


class TrainingData:
    """The training windows of a dataset and the stream of batches over them.

    Attributes:
        epoch_steps: steps of one epoch.
    """

    def __init__(self, config: Config, histories: Histories):
        self._config, self._histories = config, histories
        self._windows = Windows(
            *histories.training_bounds(),
            config.data.max_length,
            config.data.window_step,
        )
        self._candidates = (
            Candidates(histories.training_item_counts(), config.objective.num_sampled)
            if config.objective.item_loss == "sampled"
            else None
        )
        self._batch_size = config.training.batch_size
        self.epoch_steps = -(-len(self._windows) // self._batch_size)

    def batches(
        self,
        first_step: int = 0,
        part: tuple[int, int] = (0, 1),
        parts_of_part: int = 1,
    ) -> tf.data.Dataset:
        """Returns the batches from a step to the end of the training, see
        `training_batches`."""
        training, objective = self._config.training, self._config.objective
        return training_batches(
            self._histories.items,
            self._windows,
            num_items=self._histories.num_items,
            length=self._config.data.max_length,
            num_views=objective.num_views,
            mask_probability=objective.mask_probability,
            mask_at_least_one=objective.mask_at_least_one,
            batch_size=self._batch_size,
            num_steps=self.epoch_steps * training.epochs,
            seed=training.seed,
            candidates=self._candidates,
            first_step=first_step,
            part=part,
            parts_of_part=parts_of_part,
        )

    def distributed(
        self, strategy: tf.distribute.Strategy, first_step: int
    ) -> tf.distribute.DistributedDataset:
        """Returns the batches split over the replicas of a strategy.

        Raises:
            InputError: the batches do not split evenly.
        """
        replicas = strategy.num_replicas_in_sync
        if self._batch_size % replicas:
            raise InputError(
                f"`batch_size` {self._batch_size} is the global batch and must be a "
                f"multiple of the {replicas} replicas."
            )

        def of_worker(context: tf.distribute.InputContext) -> tf.data.Dataset:
            workers = context.num_input_pipelines
            part = context.input_pipeline_id, workers
            return self.batches(first_step, part, replicas // workers)

        return strategy.distribute_datasets_from_function(of_worker)

    def users_of_step(self, step: int) -> list[str]:
        """Returns the ids of the users of a step's batch, by its number from 0."""
        windows = windows_of_step(
            step,
            num_windows=len(self._windows),
            batch_size=self._batch_size,
            seed=self._config.training.seed,
        )
        ids = self._histories.user_ids()
        return [ids[user] for user in self._windows.sequences(windows)]

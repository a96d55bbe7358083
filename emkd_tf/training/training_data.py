"""The examples of a training as batches: whole, from a step on, or split."""

from __future__ import annotations

import tensorflow as tf

from emkd_tf.data.examples.examples import Examples
from emkd_tf.data.examples.stream import Stream
from emkd_tf.data.histories import Histories
from emkd_tf.errors import InputError


class TrainingData:
    """The stream of batches of a training, with its epochs and users.

    Args:
        histories: of all users.
        examples: of the histories, whose row sequences are the users.
        batch_size: B, the global batch.
        epochs: of the training; 0 for as many as `steps` needs.
        steps: see `epochs`.
        seed: of the order and everything that is drawn.

    Attributes:
        epochs: of the training.
        epoch_steps: steps of one epoch.
        num_steps: of the training.
        stream: of the batches, to the end of the training.
        batches: `Stream.batches`.

    Raises:
        InputError: no history is long enough for an example.
    """

    def __init__(
        self,
        histories: Histories,
        examples: Examples,
        *,
        batch_size: int,
        epochs: int,
        steps: int = 1,
        seed: int,
    ):
        if not len(examples.rows):
            raise InputError(
                "No user has the 4 actions that an example, validation and test take "
                "together; give a log with longer histories."
            )
        self._histories, self._rows = histories, examples.rows
        self._batch_size = batch_size
        self.epoch_steps = -(-len(examples.rows) // batch_size)
        self.epochs = epochs or -(-steps // self.epoch_steps)
        self.num_steps = self.epoch_steps * self.epochs
        self.stream = Stream(
            histories.items,
            examples,
            batch_size=batch_size,
            num_steps=self.num_steps,
            seed=seed,
        )
        self.batches = self.stream.batches

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
        ids = self._histories.user_ids()
        rows = self.stream.rows_of_step(step)
        return [ids[user] for user in self._rows.sequences(rows)]

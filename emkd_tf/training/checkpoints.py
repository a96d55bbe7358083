"""The checkpoints of a run: `best` (weights) and `last` (weights and optimizer)."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf

from emkd_tf.errors import InputError
from emkd_tf.models.emkd import EMKD

_OpError = tf.errors.OpError


class Checkpoints:
    """Writes and restores a run's checkpoints; a new one is whole before the old one
    goes.

    Args:
        folder: `checkpoints` of the run directory.
        model: to save; `last` needs it compiled.
    """

    def __init__(self, folder: Path, model: EMKD):
        weights = tf.train.Checkpoint(networks=model.networks)
        self._best = tf.train.CheckpointManager(
            weights, str(folder / "best"), max_to_keep=1
        )
        everything = tf.train.Checkpoint(
            networks=model.networks, optimizer=model.optimizer
        )
        self._last = tf.train.CheckpointManager(
            everything, str(folder / "last"), max_to_keep=1
        )

    def save_best(self, epoch: int) -> None:
        self._best.save(checkpoint_number=epoch)

    def save_last(self, epoch: int) -> None:
        self._last.save(checkpoint_number=epoch)

    def restore_best(self) -> None:
        restore_weights(Path(self._best.directory), self._best.checkpoint)


def restore_weights(folder: Path, checkpoint: tf.train.Checkpoint) -> None:
    """Restores the newest checkpoint of a folder.

    Raises:
        InputError: there is none, or it does not fit the model.
    """
    path = tf.train.latest_checkpoint(str(folder))
    if path is None:
        raise InputError(
            f"{folder} holds no checkpoint; train the run to its first validation."
        )
    try:
        checkpoint.restore(path).assert_existing_objects_matched().expect_partial()
    # TensorFlow's reader has an exception of its own for every kind of damage.
    except (AssertionError, LookupError, RuntimeError, ValueError, _OpError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"Checkpoint {path} is damaged or of another model: {reason}"
        ) from None

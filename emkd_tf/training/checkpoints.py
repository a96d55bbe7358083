"""The checkpoints of a training: `best` (weights) and `last` (everything it needs)."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from emkd_tf.errors import InputError
from emkd_tf.models.recommender import Recommender
from emkd_tf.training.weight_average import WeightAverage

_OpError = tf.errors.OpError
_KEPT = 2  # in case the newest is damaged


class TrainingProgress(tf.Module):
    """What a training knows besides the model: its best validation so far, and its
    time.

    Attributes:
        best, best_epoch: the best validation's value and epoch.
        validations_since: validations after the best one.
        seconds, processor_seconds: of training, by the clock and over all cores, of all
            processes that took part in it.
    """

    def __init__(self) -> None:
        super().__init__(name="progress")
        self.best = tf.Variable(-math.inf, dtype=tf.float64, trainable=False)
        self.best_epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.validations_since = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)
        self.processor_seconds = tf.Variable(0.0, dtype=tf.float64, trainable=False)
        self.start_clock()

    def start_clock(self) -> None:
        """Discards the time since it was last counted."""
        self._began = time.perf_counter(), time.process_time()

    def count_time(self) -> None:
        """Adds the time since then."""
        began, processor_began = self._began
        self.start_clock()
        now, processor_now = self._began
        self.seconds.assign_add(now - began)
        self.processor_seconds.assign_add(processor_now - processor_began)


class Checkpoints:
    """Writes and restores a training's checkpoints; a new one is complete before an old
    one is removed.

    Args:
        folder: in the run directory, see `Stage.folder`.
        model: to save, compiled, its optimizer built.
        progress: to save with it.
        average: of its weights, which replaces them in the best checkpoint.
        writes_to: where to write, if not to `folder`: all workers take part in saving,
            but only one saves for all.
        say: tells the user of a damaged checkpoint.
    """

    def __init__(
        self,
        folder: Path,
        model: Recommender,
        progress: TrainingProgress,
        *,
        average: WeightAverage | None = None,
        writes_to: Path | None = None,
        say: Callable[[str], None] = print,
    ):
        self._folder, self._model, self._say = folder, model, say
        self._progress = progress
        self.average = average
        self._weights = tf.train.Checkpoint(towers=model.towers, heads=model.heads)
        self._everything = tf.train.Checkpoint(
            towers=model.towers,
            heads=model.heads,
            optimizer=model.optimizer,
            trackers=model.metrics,
            skipped=model.skipped,
            progress=progress,
            **({} if average is None else {"average": average}),
        )

        def manager(checkpoint: tf.train.Checkpoint, name: str):
            target = str((writes_to or folder) / name)
            return tf.train.CheckpointManager(checkpoint, target, max_to_keep=_KEPT)

        self._best = manager(self._weights, "best")
        self._last = manager(self._everything, "last")

    @property
    def step(self) -> int:
        """The optimizer's steps so far."""
        return int(self._model.optimizer.iterations.numpy())

    @property
    def accumulators(self) -> list[tf.Variable]:
        """The means over the current epoch, as their sums and counts."""
        return [v for metric in self._model.metrics for v in metric.variables]

    def save_best(self, epoch: int) -> None:
        with self.best_weights():
            self._best.save(checkpoint_number=epoch)

    def best_weights(self) -> contextlib.AbstractContextManager:
        """Gives the model the weights that are validated and kept."""
        return self.average.in_place() if self.average else contextlib.nullcontext()

    def save_last(self) -> None:
        """Saves the state of the training, unless its weights are not finite: a
        gradient spoils them one step before the loss shows it."""
        if all(np.isfinite(v.numpy()).all() for v in self._model.trainable_variables):
            self._last.save(checkpoint_number=self.step)

    def restore_last(self) -> bool:
        """Restores the newest state of the training; False if there is none yet.

        A best state kept after it is removed: epochs that are trained again may
        validate differently.
        """
        if not newest_first(self._folder / "last"):
            return False
        restore(self._folder / "last", self._everything, self._say)
        best_epoch = int(self._progress.best_epoch.numpy())
        for path in newest_first(self._folder / "best"):
            if _number(path) > best_epoch:
                for file in path.parent.glob(f"{path.name}.*"):
                    file.unlink(missing_ok=True)
        return True

    def restore_best(self) -> None:
        restore(self._folder / "best", self._weights, self._say)

    def start_from(self, before: Checkpoints) -> None:
        """Gives the towers the best weights from another training of theirs."""
        towers = tf.train.Checkpoint(towers=self._model.towers)
        restore(before._folder / "best", towers, self._say)


def restore(
    folder: Path,
    checkpoint: tf.train.Checkpoint,
    say: Callable[[str], None] = print,
) -> None:
    """Restores the newest checkpoint of a folder, or the one before a damaged one.

    Raises:
        InputError: there is none, or none fits the model.
    """
    paths = newest_first(folder)
    if not paths:
        raise InputError(
            f"{folder} holds no checkpoint; train the run to its first validation."
        )
    for path, older in zip(paths, [*paths[1:], None], strict=True):
        try:
            status = checkpoint.read(str(path)).assert_existing_objects_matched()
            status.expect_partial()  # its other values are meant to be left unread
            return
        # TensorFlow's reader raises a different exception for every kind of damage.
        except (AssertionError, LookupError, RuntimeError, ValueError, _OpError) as e:
            reason = str(e).splitlines()[0]
            damage = f"Checkpoint {path} is damaged or of another model: {reason}"
        if older is None:
            raise InputError(damage)
        say(f"{damage} Falling back to {older}.")


def newest_first(folder: Path) -> list[Path]:
    """Returns the checkpoints in a folder."""
    indices = [path.with_suffix("") for path in folder.glob("ckpt-*.index")]
    found = [path for path in indices if path.name.split("-")[1].isdecimal()]
    return sorted(found, key=_number, reverse=True)


def _number(path: Path) -> int:
    return int(path.name.split("-")[1])

"""The training of a run: its model's stages, one after the other."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf
from rich.console import Console

from emkd_tf.config import Config
from emkd_tf.data.histories import Histories
from emkd_tf.models.stage import Stage
from emkd_tf.training.checkpoints import newest_first
from emkd_tf.training.interrupts import Interrupts
from emkd_tf.training.run_dir import RunDir
from emkd_tf.training.setup import stages_of
from emkd_tf.training.trainer import Trainer, shared_run


def train_stages(
    config: Config,
    histories: Histories,
    strategy: tf.distribute.Strategy,
    run_dir: RunDir,
    console: Console,
    interrupts: Interrupts,
) -> Trainer:
    """Trains the stages of a config's model, from where an earlier process stopped.

    Args: see `Trainer`; interrupts: see `Trainer.fit`.

    Returns:
        The trainer of the last stage.

    Raises:
        InputError, NonFiniteLossError, KeyboardInterrupt: see `Trainer`.
    """
    stages, trainer = stages_of(config), None
    for stage in stages[_begun(stages, shared_run(config, strategy, run_dir)) :]:
        # One name for both, so that the memory of the previous stage is freed.
        trainer = _after(trainer, Trainer(stage, histories, strategy, run_dir, console))
        trainer.fit(interrupts)
    assert trainer is not None  # a model has a stage
    return trainer


def _after(before: Trainer | None, trainer: Trainer) -> Trainer:
    if before is not None:
        trainer.start_from(before)
    return trainer


def _begun(stages: list[Stage], run: Path) -> int:
    """Returns the number of the last stage that has a checkpoint, 0 if none has: when a
    stage has one, those before it are done."""
    begun = [
        number
        for number, stage in enumerate(stages)
        if newest_first(run / stage.folder / "last")
    ]
    return max(begun, default=0)

"""One run: prepare, train, choose by validation, test once, export."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
import time
from pathlib import Path

import tensorflow as tf
from rich.console import Console

from emkd_tf.board.outcome import write_outcome
from emkd_tf.board.projector import write_projector
from emkd_tf.config import Config, to_flat, with_absolute_paths
from emkd_tf.config.model_table import MODELS
from emkd_tf.data.histories import Histories
from emkd_tf.data.titles import find_titles
from emkd_tf.errors import InputError
from emkd_tf.training import run_data
from emkd_tf.training import run_dir as run_directory
from emkd_tf.training.board import LOGS
from emkd_tf.training.host_memory import keep_freed_memory
from emkd_tf.training.interrupts import Interrupts
from emkd_tf.training.optimizers import optimizer_class
from emkd_tf.training.results import Metrics, export_run, write_results
from emkd_tf.training.setup import build_model, model_class
from emkd_tf.training.stages import train_stages
from emkd_tf.training.strategy import (
    is_chief,
    make_strategy,
    num_workers,
    require_one_replica,
)
from emkd_tf.training.teacher import require_teacher
from emkd_tf.training.trainer import Trainer
from emkd_tf.training.workers import reporting_lost_workers, require_equal_settings


@dataclasses.dataclass(frozen=True)
class RunResult:
    """What a run left behind.

    Attributes:
        run_dir: of the run.
        metrics: the content of `metrics.json`.
        export: folder of the exported model, or None.
    """

    run_dir: Path
    metrics: Metrics
    export: Path | None


def train(
    config: Config, console: Console | None = None, *, ends_process: bool = False
) -> RunResult | None:
    """Trains, evaluates and exports a model; continues an unfinished run. A counted
    model is only counted and evaluated.

    Args:
        config: of the run.
        console: for progress; standard error if not given.
        ends_process: at a second Ctrl-C or SIGTERM, see `Interrupts`.

    Returns:
        What the run left behind; None on a worker that does not write it.

    Raises:
        InputError, DataUnavailableError: something cannot be read or written.
        NonFiniteLossError: a loss was not finite; the run directory is kept.
        WorkerLostError: another worker is gone.
        KeyboardInterrupt: on Ctrl-C or SIGTERM; a training is saved first.
    """
    keep_freed_memory()
    console = console or Console(stderr=True)
    config = with_absolute_paths(config)
    if not MODELS[config.model.model].is_trained:
        return _count(config, console)
    optimizer_class(config.training.optimizer)  # fail before the data is prepared
    with Interrupts(ends_process) as interrupts:
        # Before TensorFlow computes anything: workers find each other here.
        strategy = make_strategy(
            config.training.strategy, config.training.worker_timeout
        )
        require_one_replica(config, strategy)
        if config.training.deterministic:
            tf.config.experimental.enable_op_determinism()
        config, histories = run_data.of_training(config)
        model_class(config).check(config, histories)
        require_teacher(config, histories)
        is_alone = num_workers(strategy) == 1
        with reporting_lost_workers(is_alone):
            require_equal_settings(strategy, config, histories)
        if not is_alone and config.run.name is None:
            raise InputError("Several workers need --name, the run they share.")
        with contextlib.ExitStack() as stack:
            if is_chief(strategy):
                run_dir = stack.enter_context(run_directory.opened(config, histories))
            else:
                scratch = stack.enter_context(tempfile.TemporaryDirectory())
                run_dir = run_directory.RunDir(Path(scratch), False)
            _describe(config, histories, console)
            with reporting_lost_workers(is_alone):
                trainer = train_stages(
                    config, histories, strategy, run_dir, console, interrupts
                )
            if not is_chief(strategy):
                return None
            return _finish(config, histories, trainer, run_dir.path, console)


def _count(config: Config, console: Console) -> RunResult:
    """Counts a model and evaluates it."""
    config, histories = run_data.of_training(config)
    with run_directory.opened(config, histories) as run_dir:
        _describe(config, histories, console)
        began = time.perf_counter()
        model = build_model(config, histories)
        seconds = time.perf_counter() - began
        metrics = write_results(config, histories, model, run_dir.path, seconds=seconds)
        write_outcome(run_dir.path / LOGS, to_flat(config), metrics)
    return RunResult(run_dir.path, metrics, None)


def _describe(config: Config, histories: Histories, console: Console) -> None:
    lines = run_data.describe(histories)
    if unused := run_data.unused(config, histories):
        lines.append(unused)
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True, markup=False)


def _finish(
    config: Config,
    histories: Histories,
    trainer: Trainer,
    run_dir: Path,
    console: Console,
) -> RunResult:
    """Evaluates the best state of a training and exports it."""
    trainer.checkpoints.restore_best()
    model, best_epoch = trainer.model, int(trainer.progress.best_epoch.numpy())
    state = f"the state of epoch {best_epoch}" if best_epoch else "the last state"
    does = "Evaluating and exporting" if config.run.export else "Evaluating"
    console.print(f"{does} {state}.", highlight=False)
    metrics = write_results(
        config,
        histories,
        model,
        run_dir,
        seconds=float(trainer.progress.seconds.numpy()),
        parameters=model.parameters()["all"],
        best_epoch=best_epoch,
    )
    write_outcome(run_dir / LOGS, to_flat(config), metrics)
    write_projector(run_dir / LOGS, model, histories, find_titles(config.data))
    export = None
    if config.run.export:
        folder = Path(config.run.saved_models_dir) / run_dir.name
        export, _ = export_run(config, histories, model.ensemble, run_dir, folder)
    return RunResult(run_dir, metrics, export)

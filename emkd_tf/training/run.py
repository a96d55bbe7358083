"""One run: prepare, train, choose by validation, test once, export."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from rich.console import Console

from emkd_tf.baselines.popularity import PopRec
from emkd_tf.config import Config
from emkd_tf.data.histories import Histories
from emkd_tf.data.prepare import prepare
from emkd_tf.errors import InputError
from emkd_tf.evaluation.agreement import retrieval_metrics
from emkd_tf.evaluation.evaluator import ENSEMBLE, evaluate, rank_users
from emkd_tf.evaluation.metrics import summarize
from emkd_tf.export.saved_model import export_saved_model
from emkd_tf.files import write_json
from emkd_tf.models.emkd import EMKD
from emkd_tf.training import run_dir as run_directory
from emkd_tf.training.interrupts import Interrupts
from emkd_tf.training.optimizers import optimizer_class
from emkd_tf.training.strategy import is_chief, make_strategy, num_workers
from emkd_tf.training.trainer import Trainer
from emkd_tf.training.workers import reporting_lost_workers, require_equal_settings

Metrics = dict[str, Any]


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


def train(config: Config, console: Console | None = None) -> RunResult | None:
    """Trains, evaluates and exports a model; continues an unfinished run.

    Args:
        config: of the run.
        console: for progress; standard error if not given.

    Returns:
        What the run left behind; None on a worker that does not write it.

    Raises:
        InputError, DataUnavailableError: what cannot be read or written.
        NonFiniteLossError: the training went wrong; the run directory stays.
        WorkerLostError: another worker is gone.
        KeyboardInterrupt: on Ctrl-C or SIGTERM; during the training it is saved first.
    """
    console = console or Console(stderr=True)
    optimizer_class(config.training.optimizer)  # else it is missed after the data
    with Interrupts() as interrupts:
        # Before TensorFlow computes anything: workers find each other here.
        strategy = make_strategy(
            config.training.strategy, config.training.worker_timeout
        )
        if config.training.deterministic:
            tf.config.experimental.enable_op_determinism()
        histories = prepare(config.data)
        is_alone = num_workers(strategy) == 1
        with reporting_lost_workers(is_alone):
            require_equal_settings(strategy, config, histories)
        if not is_alone and config.run.name is None:
            raise InputError("Several workers need --name, the run they share.")
        with contextlib.ExitStack() as stack:
            if is_chief(strategy):
                stack.enter_context(run_directory.writing(_folder(config)))
                run_dir = run_directory.open_or_create(config, histories)
                stack.callback(run_dir.lock.release)
            else:
                scratch = stack.enter_context(tempfile.TemporaryDirectory())
                run_dir = run_directory.RunDir(Path(scratch), False)
            with reporting_lost_workers(is_alone):
                trainer = Trainer(config, histories, strategy, run_dir, console)
                trainer.fit(interrupts)
            if not is_chief(strategy):
                return None
            return _finish(config, histories, trainer, run_dir.path)


def _folder(config: Config) -> Path:
    """The run directory, or where it will be."""
    return Path(config.run.runs_dir) / (config.run.name or "")


def _finish(
    config: Config, histories: Histories, trainer: Trainer, run_dir: Path
) -> RunResult:
    """Evaluates the best state of a training and exports it."""
    trainer.checkpoints.restore_best()
    model = trainer.model
    metrics = {
        "dataset": config.data.dataset,
        "fingerprint": histories.fingerprint,
        "model": "EMKD",
        "protocol": config.run.protocol,
        "best_epoch": int(trainer.progress.best_epoch.numpy()),
        **_measure(config, histories, model, run_dir),
        "parameters": model.parameters()["all"],
        "seconds": round(float(trainer.progress.seconds.numpy()), 1),
    }
    write_json(run_dir / "metrics.json", metrics)
    export = None
    if config.run.export:
        folder = Path(config.run.saved_models_dir) / run_dir.name
        export, _ = export_saved_model(
            model.ensemble,
            histories,
            folder,
            k=config.run.k,
            card=run_directory.read_card(run_dir, model.ensemble),
        )
    return RunResult(run_dir, metrics, export)


def _measure(
    config: Config, histories: Histories, model: EMKD, run_dir: Path
) -> Metrics:
    """Evaluates both splits and writes the per-user ranks."""
    ranks = {
        split: rank_users(model, histories, split, members=split == "test")
        for split in ("validation", "test")
    }
    run_directory.write_ranks(
        run_dir / "per_user.parquet",
        histories,
        {split: of_split[ENSEMBLE] for split, of_split in ranks.items()},
    )
    popularity = PopRec(histories.training_item_counts(), config.data.max_length)
    return {
        **report(ranks["validation"], ranks["test"], config.run.protocol),
        "poprec": evaluate(popularity, histories, "test")[config.run.protocol],
        "tfrs": retrieval_metrics(
            model, histories, "test", ranks["test"][ENSEMBLE]["unseen"]
        ),
    }


def report(
    validation: dict[str, dict[str, np.ndarray]],
    test: dict[str, dict[str, np.ndarray]],
    protocol: str,
) -> Metrics:
    """Summarizes the ranks of both splits: the chosen protocol first, then all of
    them."""
    return {
        "validation": summarize(validation[ENSEMBLE][protocol]),
        "test": summarize(test[ENSEMBLE][protocol]),
        "test_by_protocol": {
            name: summarize(ranks) for name, ranks in test[ENSEMBLE].items()
        },
        "test_by_network": {
            name: summarize(ranks[protocol])
            for name, ranks in test.items()
            if name != ENSEMBLE
        },
    }

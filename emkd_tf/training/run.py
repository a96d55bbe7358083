"""One run: prepare, train, choose by validation, test once, export."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from rich.console import Console

from emkd_tf.baselines.popularity import PopRec
from emkd_tf.config import Config
from emkd_tf.data.histories import Histories
from emkd_tf.data.prepare import prepare
from emkd_tf.evaluation.agreement import retrieval_metrics
from emkd_tf.evaluation.evaluator import ENSEMBLE, evaluate, rank_users
from emkd_tf.evaluation.metrics import summarize
from emkd_tf.export.saved_model import export_saved_model
from emkd_tf.files import write_json
from emkd_tf.models.emkd import EMKD
from emkd_tf.training import run_dir as run_directory
from emkd_tf.training.build import build_batches, build_model, compile_model
from emkd_tf.training.callbacks import (
    KeepBest,
    StopOnNonFinite,
    Validate,
    WriteHistory,
)
from emkd_tf.training.checkpoints import Checkpoints
from emkd_tf.training.progress import ShowProgress
from emkd_tf.training.strategy import make_strategy

Metrics = dict[str, Any]
_LONG_RUN_ADVICE = "Ctrl-C stops it; --preset cpu is the same model at d = 64."


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


def train(config: Config, console: Console | None = None) -> RunResult:
    """Trains, evaluates and exports a model.

    Args:
        config: of the run.
        console: for progress; standard error if not given.

    Raises:
        InputError, DataUnavailableError: what cannot be read or written.
        NonFiniteLossError: the training went wrong; the run directory stays.
    """
    console = console or Console(stderr=True)
    if config.training.deterministic:
        tf.config.experimental.enable_op_determinism()
    began = time.perf_counter()
    histories = prepare(config.data)
    name = run_directory.default_name(config)
    run_dir = run_directory.create(config, name, histories)
    console.print(f"Run directory {run_dir}", highlight=False)

    strategy = make_strategy(config.training.strategy)
    with strategy.scope():
        model = build_model(config, histories)
        compile_model(model, config)
    checkpoints = Checkpoints(run_dir / "checkpoints", model)
    best_epoch = _fit(config, histories, model, checkpoints, run_dir, console)
    checkpoints.restore_best()

    metrics = _measure(config, histories, model, run_dir)
    metrics = {
        "dataset": config.data.dataset,
        "fingerprint": histories.fingerprint,
        "model": "EMKD",
        "protocol": config.run.protocol,
        "best_epoch": best_epoch,
        **metrics,
        "parameters": model.parameters()["all"],
        "seconds": round(time.perf_counter() - began, 1),
    }
    write_json(run_dir / "metrics.json", metrics)
    export = None
    if config.run.export:
        folder = Path(config.run.saved_models_dir) / name
        export = export_saved_model(model, histories, folder, config.run.top_k)
    return RunResult(run_dir, metrics, export)


def _fit(
    config: Config,
    histories: Histories,
    model: EMKD,
    checkpoints: Checkpoints,
    run_dir: Path,
    console: Console,
) -> int:
    """Trains the model and returns its best epoch."""
    training = config.training
    dataset, steps = build_batches(config, histories)
    keep_best = KeepBest(checkpoints, training.patience)
    progress = ShowProgress(console, _LONG_RUN_ADVICE)
    try:
        model.fit(
            dataset,
            epochs=training.epochs,
            steps_per_epoch=steps,
            verbose=0,
            callbacks=[
                StopOnNonFinite(),
                Validate(histories, training.validation_every, config.run.protocol),
                keep_best,
                WriteHistory(run_dir, training.batch_size),
                progress,
            ],
        )
    finally:
        progress.stop()
    return keep_best.best_epoch


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

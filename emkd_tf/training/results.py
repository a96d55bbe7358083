"""What a run writes about a finished model: its metrics, every rank, its export."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from emkd_tf.atomic_files import read_json, write_json
from emkd_tf.config import Config
from emkd_tf.config.model_table import BASELINE, model_class
from emkd_tf.data.histories import Histories
from emkd_tf.evaluation.agreement import retrieval_agreement
from emkd_tf.evaluation.evaluator import ENSEMBLE, evaluate, rank_users
from emkd_tf.evaluation.metrics import summarize
from emkd_tf.evaluation.targets import summarize_repeats, targets_of, write_per_user
from emkd_tf.export.saved_model import export_saved_model
from emkd_tf.export.vectors import IndexQuality
from emkd_tf.models.ensemble import Ensemble
from emkd_tf.models.ranker import Ranker, Scorer
from emkd_tf.run_reading import reading

Metrics = dict[str, Any]


def write_results(
    config: Config,
    histories: Histories,
    model: Ranker | Scorer,
    run_dir: Path,
    *,
    seconds: float,
    parameters: int = 0,
    best_epoch: int = 0,
    name: str | None = None,
) -> Metrics:
    """Evaluates both splits, or only validation if the config says so; writes
    `per_user.parquet`, and last `metrics.json`, which marks the run as finished.

    Args:
        config: of the run.
        histories: of all users.
        model: to evaluate.
        run_dir: to write to.
        seconds: how long making the model took.
        parameters: number of trained weights.
        best_epoch: the chosen epoch; 0 if there are none.
        name: of the model, if not the config's.

    Returns:
        The content of `metrics.json`.
    """
    metrics = {
        "dataset": config.data.dataset,
        "fingerprint": histories.fingerprint,
        "model": name or config.model.model,
        "protocol": config.run.excluding,
        "best_epoch": best_epoch,
        **_measure(config, histories, model, run_dir),
        "parameters": parameters,
        "history_length": model.history_length,
        "seconds": round(seconds, 1),
    }
    write_json(run_dir / "metrics.json", metrics)
    return metrics


def _measure(
    config: Config, histories: Histories, model: Ranker | Scorer, run_dir: Path
) -> Metrics:
    protocol = config.run.excluding
    ranks = {
        split: rank_users(model, histories, split, members=split == "test")
        for split in ("validation", *(["test"] if config.run.test else []))
    }
    targets = {split: targets_of(histories, split) for split in ranks}
    of_ensemble = {split: of_split[ENSEMBLE] for split, of_split in ranks.items()}
    write_per_user(run_dir / "per_user.parquet", histories, targets, of_ensemble)
    found: Metrics = {"validation": summarize(of_ensemble["validation"][protocol])}
    found["repeats"] = {
        split: summarize_repeats(of_ensemble[split][protocol], of_split)
        for split, of_split in targets.items()
    }
    if not config.run.test:
        return found
    kind = model_class(BASELINE)
    baseline = kind(histories.training_item_counts(), model.history_length)
    found |= report_test(ranks["test"], protocol)
    found[BASELINE] = evaluate(baseline, histories, "test")[protocol]
    if isinstance(model, Ranker):
        of_test = of_ensemble["test"][protocol]
        found["tfrs"] = _agreement(model, histories, of_test, protocol)
    return found


def _agreement(
    model: Ranker, histories: Histories, ranks: np.ndarray, protocol: str
) -> Metrics:
    agreement = retrieval_agreement(model, histories, "test", ranks, protocol)
    return {
        **agreement.metrics,
        "contradictions": agreement.users,
        "example": agreement.example,
    }


def report_test(test: dict[str, dict[str, np.ndarray]], protocol: str) -> Metrics:
    """Summarizes the test ranks: the chosen protocol first, then all of them."""
    return {
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


def export_run(
    config: Config,
    histories: Histories,
    ensemble: Ensemble,
    run_dir: Path,
    folder: Path,
    *,
    k: int | None = None,
    index: str | None = None,
    cold: Collection[str] = (),
) -> tuple[Path, IndexQuality | None]:
    """Exports networks of a run as the next version in a folder.

    Args:
        config: of the run.
        histories: of all users.
        ensemble: all networks of the run, or one of them.
        run_dir: of the run, whose metrics go on the export's card.
        folder: of all versions.
        k: items per list; the config's if not given.
        index, cold: see `export_saved_model`.

    Returns:
        See `export_saved_model`.

    Raises:
        InputError: the run's metrics are damaged; see also `export_saved_model`.
    """
    return export_saved_model(
        ensemble,
        histories,
        folder,
        k=k or config.run.k,
        protocol=config.run.excluding,
        card=_card(run_dir, ensemble, config.run.excluding),
        index=index,
        cold=cold,
    )


def _card(run_dir: Path, ensemble: Ensemble, protocol: str) -> dict[str, Any]:
    """Returns what an export of a finished run says about its quality: metrics of the
    ensemble, or of its one network, under the protocol of the export's lists; nothing
    for an unfinished run."""
    path = run_dir / "metrics.json"
    if not path.exists():
        return {}
    with reading(path):
        metrics = read_json(path)
        card = {"best_epoch": metrics["best_epoch"]}
        if "test" not in metrics:  # left unread
            return card
        is_own = metrics["protocol"] == protocol
        by_network = metrics["test_by_network"]
        if set(ensemble.names) == set(by_network):
            own = {key: metrics[key] for key in ("validation", "test")}
            other = {"test": metrics["test_by_protocol"][protocol]}
            return {**card, **(own if is_own else other)}
        name = ensemble.names[0]
        return {**card, "test": by_network[name]} if is_own else card

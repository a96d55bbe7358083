"""A run that is the sum of finished runs: nothing is trained."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from emkd_tf.atomic_files import read_json
from emkd_tf.board.outcome import write_outcome
from emkd_tf.config import Config, from_flat, to_flat, with_absolute_paths
from emkd_tf.config.model_table import MODELS
from emkd_tf.errors import InputError
from emkd_tf.evaluation.run_ranks import SUM
from emkd_tf.run_reading import reading, require_finished
from emkd_tf.training import run_data
from emkd_tf.training import run_dir as run_directory
from emkd_tf.training.board import LOGS
from emkd_tf.training.results import export_run, write_results
from emkd_tf.training.run import RunResult
from emkd_tf.training.run_config import MEMBERS, read_config
from emkd_tf.training.run_model import keep_members, sum_of


def add_up(run_dirs: Sequence[Path], overrides: dict[str, Any]) -> RunResult:
    """Evaluates and exports the sum of the scores of finished runs as a run of its own.

    Its settings are the first run's, except for the longest `max_length`; it is
    exported unless the overrides say otherwise.

    Args:
        run_dirs: two or more, on the same data.
        overrides: settings of the new run, such as its name.

    Raises:
        InputError: a run is unfinished, on other data or in another order of them, or
            counted; or the new run directory exists.
    """
    configs = [read_config(path) for path in run_dirs]
    made = [_metrics_of(path) for path in run_dirs]
    _require_same_data(run_dirs, configs)
    config = _config_of(configs, overrides)
    histories = run_data.find(run_dirs[0], configs[0])
    ensemble = sum_of(run_dirs, histories)
    with run_directory.opened(config, histories) as run_dir:
        keep_members(run_dirs, run_dir.path)
        metrics = write_results(
            config,
            histories,
            ensemble,
            run_dir.path,
            seconds=sum(each["seconds"] for each in made),
            parameters=sum(each["parameters"] for each in made),
            name=SUM.join(each["model"] for each in made),
        )
        write_outcome(run_dir.path / LOGS, to_flat(config), metrics)
        export = None
        if config.run.export:
            folder = Path(config.run.saved_models_dir) / run_dir.path.name
            export, _ = export_run(config, histories, ensemble, run_dir.path, folder)
    return RunResult(run_dir.path, metrics, export)


def _metrics_of(run_dir: Path) -> dict[str, Any]:
    require_finished(run_dir)
    path = run_dir / "metrics.json"
    with reading(path):
        metrics = read_json(path)
        return {key: metrics[key] for key in ("model", "seconds", "parameters")}


def _require_same_data(run_dirs: Sequence[Path], configs: Sequence[Config]) -> None:
    first = run_data.trained_on(run_dirs[0])
    first_order = configs[0].data.history_order
    for path, config in zip(run_dirs[1:], configs[1:], strict=True):
        other, order = run_data.trained_on(path), config.data.history_order
        wrong = f"{run_dirs[0]} and {path} cannot be added up: their"
        if other[1] != first[1]:
            raise InputError(
                f"{wrong} data differ, `{first[0]}` {first[1]} and `{other[0]}` "
                f"{other[1]}."
            )
        if order != first_order:
            raise InputError(
                f"{wrong} histories are in different orders, `history_order` "
                f"{first_order} and {order}."
            )


def _config_of(configs: Sequence[Config], overrides: dict[str, Any]) -> Config:
    now = datetime.now().strftime("%Y%m%d-%H%M%S")
    values = {
        **to_flat(configs[0]),
        "max_length": max(config.data.max_length for config in configs),
        "name": f"{configs[0].data.dataset}-{now}-ensemble",
        "export": True,
        "resume": "never",  # a sum has no training to continue
        **overrides,
    }
    return with_absolute_paths(from_flat(values))


def title_of(run_dir: Path, config: Config) -> str:
    """Returns what a run's model is called in tables."""
    is_sum = (run_dir / MEMBERS).is_dir()
    return "Ensemble" if is_sum else MODELS[config.model.model].title

"""`emkd train`: from a log to a trained, evaluated and exported model."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from emkd_tf.atomic_files import read_json
from emkd_tf.commands.arguments import training_settings
from emkd_tf.commands.restarting import may_restart, train_restarting
from emkd_tf.commands.terminal import say, say_lost, show_result
from emkd_tf.config import RunConfig
from emkd_tf.config.model_table import MODELS
from emkd_tf.tensorflow_start import load_tensorflow


def train(arguments: Sequence[str]) -> None:
    """Prepare, train, evaluate and export in one go."""
    config = training_settings(train, arguments)
    if config is None:
        return
    if may_restart(config):
        raise SystemExit(train_restarting(arguments))
    load_tensorflow()
    from emkd_tf.training import run

    result = run.train(config, ends_process=True)
    if result is None:
        return  # a worker that writes nothing
    entry, no_export = MODELS[config.model.model], None
    if config.run.export and not entry.is_trained:
        no_export = f"{entry.title} is counted and has no SavedModel"
    show_result(entry.title, result, no_export)
    if config.objective.distill is not None:
        teacher = Path(config.objective.distill)
        say_lost(teacher.name, read_json(teacher / "metrics.json"), result.metrics)
    say("Next:")
    can_export = entry.is_trained and result.export is None
    for line in next_commands(result.run_dir, can_export):
        say(f"  {line}")


def next_commands(run_dir: Path, can_export: bool) -> list[str]:
    """Returns what a user may want to do with a new run.

    Args:
        run_dir: of the run.
        can_export: it has no export yet, and can have one.
    """
    named = Path(RunConfig.runs_dir) / run_dir.name
    is_here = named.exists() and named.samefile(run_dir)
    run = shlex.quote(run_dir.name if is_here else str(run_dir))
    with (run_dir / "data" / "user_ids.txt").open(encoding="utf-8") as users:
        user = users.readline().rstrip("\n")
    # An id such as -1KK would be taken for a flag.
    between = "=" if user.startswith("-") else " "
    return [
        f"emkd evaluate --run {run}",
        f"emkd recommend --run {run} --user{between}{shlex.quote(user)}",
        f"emkd recommend --run {run} --output lists.parquet",
        f"emkd report --run {run}",
        *([f"emkd export --run {run}"] if can_export else []),
    ]

"""`emkd ensemble`: the sum of finished runs, without training."""

from __future__ import annotations

from collections.abc import Sequence

from emkd_tf.commands.arguments import given
from emkd_tf.commands.terminal import (
    load_tensorflow,
    metrics_table,
    say,
    say_contradictions,
)
from emkd_tf.config.flags import settings_parser
from emkd_tf.config.model_table import BASELINE, MODELS
from emkd_tf.config.run_names import run_path
from emkd_tf.errors import InputError

_KEYS = (
    *("name", "runs_dir", "saved_models_dir", "export", "k"),
    *("protocol", "recommend_seen"),
)


def ensemble(arguments: Sequence[str]) -> None:
    """Add up the scores of finished runs, evaluate and export the sum."""
    parser = settings_parser("emkd ensemble", ensemble.__doc__, _KEYS)
    parser.add_argument(
        "--run", action="append", help="run directory, or its name in runs/; repeat it"
    )
    parser.set_defaults({key: None for key in _KEYS})
    parser.epilog = "Settings that are not given are the first run's own."
    values = parser.parse(arguments)
    paths = [run_path(run) for run in values["run"] or ()]
    if len({path.resolve() for path in paths}) < max(2, len(paths)):
        raise InputError("`emkd ensemble` needs --run RUN twice or more, each another.")
    load_tensorflow()
    from emkd_tf.training.run_sum import add_up

    result = add_up(paths, given(values, _KEYS))
    metrics = result.metrics
    split = "test" if "test" in metrics else "validation"
    title = f"{metrics['dataset']}, {split}, protocol {metrics['protocol']}"
    rows = {"Ensemble": metrics[split], **metrics.get("test_by_network", {})}
    if BASELINE in metrics:
        rows[MODELS[BASELINE].title] = metrics[BASELINE]
    metrics_table(title, rows)
    say_contradictions(metrics)
    if result.export:
        say(f"Export: {result.export}")
    ndcg = f"NDCG@10 {metrics[split]['NDCG@10']:.4f}"
    say(f"Run: {result.run_dir}  {split} {ndcg} ({metrics['protocol']})")

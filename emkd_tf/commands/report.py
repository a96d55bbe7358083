"""`emkd report`: finished runs as one page with its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emkd_tf.commands.arguments import distinct_runs
from emkd_tf.commands.terminal import progress, say
from emkd_tf.config.flags import settings_parser
from emkd_tf.config.rules import require, require_one_of
from emkd_tf.errors import InputError
from emkd_tf.tensorflow_start import load_tensorflow

_SHOWN_IN_NAME = 3


def report(arguments: Sequence[str]) -> None:
    """Show finished runs as one HTML page with its pictures."""
    values = _arguments(arguments)
    paths = distinct_runs(values["run"])
    folder = Path(values["output"] or _folder(paths))
    load_tensorflow()
    from emkd_tf.data.titles import find_titles
    from emkd_tf.report.write import write_report
    from emkd_tf.training.run_config import read_config

    data = read_config(paths[0]).data
    titles = find_titles(data, values["titles"])
    with progress("lists") as advance:
        files = write_report(
            paths,
            folder,
            metric=values["metric"],
            k=values["k"],
            titles=titles,
            advance=advance,
        )
    say(f"{files[0]}, and {len(files) - 1} pictures beside it")


def _arguments(arguments: Sequence[str]) -> dict[str, Any]:
    from emkd_tf.evaluation.metrics import METRICS

    parser = settings_parser("emkd report", report.__doc__, keys=())
    parser.add_argument(
        "--run",
        action="append",
        help="run directory, or its name in runs/ (required); may be repeated",
    )
    parser.add_argument(
        "--output", type=str, help="folder to write to; reports/RUN if not given"
    )
    parser.add_argument(
        "--titles",
        type=str,
        help="table of item ids and titles; the run's attributes if they have any",
    )
    parser.add_argument(
        "--metric",
        default="NDCG@10",
        help="metric of the charts and of the tables by group of users",
    )
    parser.add_argument("--k", type=int, default=10, help="items per list")
    values = parser.parse(arguments)
    if not values["run"]:
        raise InputError("`emkd report` needs --run RUN, a run directory.")
    require_one_of("metric", METRICS, values["metric"])
    require(values["k"] >= 1, "k", "at least 1", values["k"])
    return values


def _folder(paths: Sequence[Path]) -> Path:
    names = [path.resolve().name for path in paths]
    rest = len(names) - _SHOWN_IN_NAME
    more = [f"{rest}-more"] if rest > 0 else []
    return Path("reports") / "+".join([*names[:_SHOWN_IN_NAME], *more])

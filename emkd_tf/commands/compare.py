"""`emkd compare`: finished runs side by side, from their saved ranks alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emkd_tf.atomic_files import write_text, writes_to
from emkd_tf.commands.arguments import distinct_runs
from emkd_tf.commands.terminal import say, show_text
from emkd_tf.config.flags import settings_parser
from emkd_tf.config.rules import require_one_of
from emkd_tf.config.run_names import run_path
from emkd_tf.errors import InputError
from emkd_tf.evaluation.text_tables import to_latex, to_markdown

if TYPE_CHECKING:
    from emkd_tf.evaluation.run_ranks import RunRanks

_WRITERS = {".md": to_markdown, ".tex": to_latex}
_ENDINGS = (".csv", *_WRITERS)


def compare(arguments: Sequence[str]) -> None:
    """Compare finished runs, with intervals and tests over users and seeds."""
    values = _arguments(arguments)
    from emkd_tf.evaluation.comparison_report import compare as compare_groups
    from emkd_tf.evaluation.comparison_report import to_frame
    from emkd_tf.evaluation.comparison_tables import (
        comparison_tables,
        describe_ranks,
        reference_in_words,
    )
    from emkd_tf.evaluation.run_ranks import read_run, require_comparable, seed_groups

    split, metric = values["split"], values["metric"]
    paths = distinct_runs(values["runs"], values["baseline"])
    runs = [read_run(path, split, values["protocol"]) for path in paths]
    require_comparable(runs)
    groups = seed_groups(runs)
    baseline = _group_of(values["baseline"], groups)
    reference, rows = compare_groups(groups, metric, baseline)
    context = {
        "dataset": runs[0].dataset,
        "split": split,
        "protocol": runs[0].protocol,
        "compared_with": reference,
    }
    against = reference_in_words(reference, len(groups), is_chosen=baseline is not None)
    tables = comparison_tables(rows, describe_ranks(runs[0], split), metric, against)
    for table in tables:
        show_text(table)
    if not any(row.parted_by for row in rows):
        say(
            "Metrics by history length and popularity are not available: these runs "
            "did not save either."
        )
    for file in map(Path, values["output"] or ()):
        if file.suffix == ".csv":
            text = to_frame(rows, **context).write_csv()
        else:
            text = "\n".join(_WRITERS[file.suffix](table) for table in tables)
        with writes_to(file, "--output"):
            write_text(file, text)
        say(str(file))


def _arguments(arguments: Sequence[str]) -> dict[str, Any]:
    from emkd_tf.evaluation.metrics import METRICS

    parser = settings_parser("emkd compare", compare.__doc__, keys=())
    parser.add_argument(
        "runs",
        nargs="*",
        metavar="RUN RUN ...",
        type=str,
        help="run directories, or their names in runs/",
    )
    parser.add_argument(
        "--baseline", type=str, help="run to compare with; the best one if not given"
    )
    parser.add_argument("--split", default="test", help="test or validation")
    parser.add_argument(
        "--protocol", type=str, help="unseen, window or all; the runs' own if not given"
    )
    parser.add_argument(
        "--metric", default="NDCG@10", help="to test, and to show by group of users"
    )
    parser.add_argument(
        "--output", action="append", help="file: .csv, .md or .tex; may be repeated"
    )
    values = parser.parse(arguments)
    for key, known in (("split", ("test", "validation")), ("metric", METRICS)):
        require_one_of(key, known, values[key])
    if not values["runs"]:
        raise InputError("`emkd compare` needs run directories: emkd compare RUN RUN.")
    for file in values["output"] or ():
        if Path(file).suffix not in _ENDINGS:
            raise InputError(f"`output` {file} must end in {', '.join(_ENDINGS)}.")
    return values


def _group_of(run: str | None, groups: dict[str, list[RunRanks]]) -> str | None:
    """Returns the group that a run is in."""
    if run is None:
        return None
    path = run_path(run).resolve()
    return next(
        name
        for name, runs in groups.items()
        if path in [of.path.resolve() for of in runs]
    )

"""`emkd experiments`: the paper's tables and figures, or your own grids."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emkd_tf.commands.arguments import seconds_of
from emkd_tf.commands.terminal import say, show_text, two_columns
from emkd_tf.config.flags import as_flags, settings_parser
from emkd_tf.config.rules import require
from emkd_tf.config.sections.data import log_name
from emkd_tf.errors import InputError
from emkd_tf.tensorflow_start import load_tensorflow

if TYPE_CHECKING:
    from emkd_tf.experiments.cells import Cell
    from emkd_tf.experiments.grid import Experiment

_SOURCES = ("data_dir", "interactions", "attributes")
_PASSED_ON = (*_SOURCES, "cache_dir", "runs_dir")


def experiments(arguments: Sequence[str]) -> None:
    """List, show, run and report the paper's tables and figures, or your own grids."""
    values = _arguments(arguments)
    action, name = [*values["what"], None][:2]
    from emkd_tf.experiments.cells import cells
    from emkd_tf.experiments.grid import names, read_experiment

    if action == "list":
        titles = {each: read_experiment(each).title for each in names()}
        say("\n".join(two_columns(titles)))
        return
    if name is None:
        raise InputError(f"`emkd experiments {action}` needs a NAME; see list.")
    experiment = _chosen(read_experiment(name), values)
    dataset = experiment.datasets[0]
    if experiment.kind != "runs":
        _count(experiment, action, values)
        return
    flags = _given(values)
    found = cells(
        experiment,
        dataset,
        preset=values["preset"],
        seeds=values["seeds"],
        flags=flags,
    )
    _ACTIONS[action](experiment, dataset, found, values)


def _chosen(experiment: Experiment, values: dict[str, Any]) -> Experiment:
    """Returns the experiment for the data and with the preset of the command line."""
    log, preset = values["interactions"], values["preset"]
    dataset = values["dataset"] or (log and log_name(log))
    changes: dict[str, Any] = {"datasets": [dataset]} if dataset else {}
    if log:
        changes["published"] = {}  # for other data, whatever the log is called
    if preset and experiment.kind == "runs":
        # A note may be about the presets that this one replaces.
        changes["note"] = f"All rows have preset `{preset}` (--preset)."
    return dataclasses.replace(experiment, **changes)


def _arguments(arguments: Sequence[str]) -> dict[str, Any]:
    parser = settings_parser("emkd experiments", experiments.__doc__, keys=_PASSED_ON)
    parser.add_argument(
        "what", nargs="*", type=str, help="list; show, run or report NAME (or a file)"
    )
    parser.add_argument("--dataset", type=str, help="by default the experiment's first")
    parser.add_argument("--preset", type=str, help="instead of the rows' own")
    parser.add_argument("--seeds", type=int, default=1, help="trainings per row")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time")
    parser.add_argument("--budget", type=str, help="time, such as 90m or 2h")
    parser.add_argument("--output", type=str, default="reports", help="folder")
    parser.set_defaults({key: None for key in _PASSED_ON})
    values = parser.parse(arguments)
    action = (values["what"] or ["list"])[0]
    values["what"] = [action, *values["what"][1:]]
    if action not in ("list", *_ACTIONS):
        raise InputError(
            f"`emkd experiments` can list, show, run or report, not {action!r}."
        )
    if len(values["what"]) > 2:
        raise InputError(
            f"`emkd experiments {action}` takes one NAME, not also "
            f"{', '.join(values['what'][2:])}."
        )
    for key in ("seeds", "jobs"):
        require(values[key] >= 1, key, "at least 1", values[key])
    return values


def _plan(
    experiment: Experiment, dataset: str, cells: Sequence[Cell], values: dict[str, Any]
) -> None:
    """Prints the trainings, how far each has come, and what is known about their
    time."""
    from emkd_tf.experiments.runner import estimate

    unique = {cell.run_dir: cell for cell in cells}
    rows = len({cell.label for cell in cells})
    say(f"{experiment.title}: {dataset}, {rows} rows, {len(unique)} trainings")
    known = estimate(list(unique.values()))
    for cell in unique.values():
        state = "finished" if cell.is_finished else "begun" if cell.is_begun else "new"
        seconds = known.get(cell.run_dir.name)
        about = f", about {seconds:,.0f} s" if seconds else ""
        say(f"  {state:<8} {cell.label}, seed {cell.seed}: {cell.run_dir}{about}")
    left = [cell for cell in unique.values() if not cell.is_finished]
    if left:
        text = f"Left: {len(left)} trainings"
        if known:
            sure = f"about {sum(known.values()):,.0f} s for the {len(known)}"
            text += f", {sure} whose settings ran before"
        say(text)


def _run(
    experiment: Experiment, dataset: str, cells: Sequence[Cell], values: dict[str, Any]
) -> None:
    from emkd_tf.experiments import runner
    from emkd_tf.experiments.folders import tried_folder

    budget = seconds_of(values["budget"])
    _plan(experiment, dataset, cells, values)
    with tried_folder(Path(values["output"]), "--output"):
        pass  # checked before training
    failed = runner.run(cells, jobs=values["jobs"], budget=budget, say=say)
    _report(experiment, dataset, cells, values)
    if failed:
        raise InputError(f"{len(failed)} trainings failed: {'; '.join(failed)}")


def _report(
    experiment: Experiment, dataset: str, cells: Sequence[Cell], values: dict[str, Any]
) -> None:
    from emkd_tf.experiments.pages import write_report

    command = ["emkd", "experiments", "run", values["what"][1], f"--dataset={dataset}"]
    command += as_flags({key: values[key] for key in (*_SOURCES, "preset", "seeds")})
    table, files = write_report(
        experiment, dataset, cells, Path(values["output"]), shlex.join(command)
    )
    show_text(table)
    for file in files:
        say(str(file))


def _count(experiment: Experiment, action: str, values: dict[str, Any]) -> None:
    from emkd_tf.experiments import counted
    from emkd_tf.experiments.pages import write_counted

    if experiment.kind == "counts":
        table = counted.counts(experiment, _given(values))
    else:
        load_tensorflow()
        table = counted.parameters(experiment, _given(values), values["preset"])
    show_text(table)
    if action != "show":
        command = ["emkd", "experiments", "report", values["what"][1]]
        chosen = (*_SOURCES, "dataset", "preset")
        command += as_flags({key: values[key] for key in chosen})
        folder, line = Path(values["output"]), shlex.join(command)
        for file in write_counted(experiment, table, folder, line):
            say(str(file))


def _given(values: dict[str, Any]) -> list[str]:
    """Returns the flags that all trainings take."""
    return as_flags({key: values[key] for key in _PASSED_ON})


_ACTIONS: dict[str, Callable[..., None]] = {
    "show": _plan,
    "run": _run,
    "report": _report,
}

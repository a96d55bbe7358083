"""The command line: `emkd prepare | train | evaluate | recommend | export`.

TensorFlow loads only when a command needs it: `emkd --help` answers at once.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from emkd_tf.config import Config, nearest, to_flat
from emkd_tf.errors import USER_ERRORS, InputError
from emkd_tf.settings import read_settings, settings_parser

_INTERRUPTED = 130
_COLUMNS = ("HR@5", "HR@10", "HR@20", "NDCG@5", "NDCG@10", "NDCG@20", "MRR")
# What a command on a finished run may change: where things are, not what was trained.
_RUN_KEYS = ("data_dir", "cache_dir", "interactions", "attributes", "protocol")


def _say(text: str) -> None:
    print(text, flush=True)  # paths and ids in full: rich would wrap them


def _metrics_table(title: str, rows: dict[str, dict[str, float]]) -> None:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for column in _COLUMNS:
        table.add_column(column, justify="right")
    for name, metrics in rows.items():
        table.add_row(name, *(f"{metrics[column]:.4f}" for column in _COLUMNS))
    Console().print(table)


def _settings(command: str, arguments: Sequence[str]) -> Config | None:
    """Reads a config, or prints it and returns None."""
    prog = f"emkd {command}"
    config, is_print = read_settings(prog, COMMANDS[command][1], arguments)
    if not is_print:
        return config
    _say(yaml.safe_dump(to_flat(config), sort_keys=False).rstrip())
    return None


def _prepare(arguments: Sequence[str]) -> None:
    config = _settings("prepare", arguments)
    if config is None:
        return
    from emkd_tf.data.prepare import prepare

    histories = prepare(config.data)
    counts = histories.description
    table = Table(title=f"{counts['name']}  {counts['fingerprint']}")
    table.add_column("")
    table.add_column("prepared", justify="right")
    table.add_column("published", justify="right")
    published = counts["published"] or {}
    for key in ("users", "items", "actions"):
        known = f"{published[key]:,}" if key in published else ""
        table.add_row(key, f"{counts[key]:,}", known)
    table.add_row("attributes", f"{counts['attributes']:,}", "")
    table.add_row("actions per user", f"{counts['actions_per_user']:.1f}", "")
    table.add_row("actions per item", f"{counts['actions_per_item']:.1f}", "")
    table.add_row("sparsity", f"{counts['sparsity_percent']:.2f} %", "")
    for reason, rows in counts["dropped_rows"].items():
        table.add_row(f"dropped rows: {reason}", f"{rows:,}", "")
    Console().print(table)
    if counts["licence"]:
        _say(f"Licence: {counts['licence']}")
    _say(str(histories.folder))


def _train(arguments: Sequence[str]) -> None:
    config = _settings("train", arguments)
    if config is None:
        return
    from emkd_tf.training.run import train

    result = train(config)
    if result is None:
        return  # a worker that writes nothing
    metrics = result.metrics
    title = f"{metrics['dataset']}, test, protocol {metrics['protocol']}"
    rows = {
        "EMKD (ensemble)": metrics["test"],
        **metrics["test_by_network"],
        "PopRec": metrics["poprec"],
    }
    _metrics_table(title, rows)
    if result.export:
        _say(f"Export: {result.export}")
    ndcg = f"NDCG@10 {metrics['test']['NDCG@10']:.4f}"
    _say(f"Run: {result.run_dir}  test {ndcg} ({metrics['protocol']})")


def _run_arguments(
    command: str, arguments: Sequence[str], keys: Sequence[str], **own: dict[str, Any]
) -> tuple[Path, dict[str, Any]]:
    """Reads the arguments of a command on a run: --run, settings, and the command's
    own."""
    parser = settings_parser(f"emkd {command}", COMMANDS[command][1], keys)
    parser.add_argument("--run", type=str, help="run directory (required)")
    for name, options in own.items():
        parser.add_argument(f"--{name}", **options)
    # Only what is given replaces the run's own settings.
    parser.set_defaults({key: None for key in keys})
    values = parser.parse(arguments)
    if values["run"] is None:
        raise InputError(f"`emkd {command}` needs --run RUN, a run directory.")
    return Path(values["run"]), values


def _given(values: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    return {key: values[key] for key in keys if values[key] is not None}


def _evaluate(arguments: Sequence[str]) -> None:
    split = {"type": str, "default": "test", "help": "test or validation"}
    path, values = _run_arguments("evaluate", arguments, _RUN_KEYS, split=split)
    if values["split"] not in ("test", "validation"):
        raise InputError(
            f"`split` must be test or validation, got {values['split']!r}."
        )
    from emkd_tf.evaluation.evaluator import ENSEMBLE, rank_users
    from emkd_tf.evaluation.metrics import summarize
    from emkd_tf.training.run_dir import open_run

    config, histories, model = open_run(path, _given(values, _RUN_KEYS))
    ranks = rank_users(model, histories, values["split"], members=True)
    by_protocol = {
        f"EMKD, {protocol}": summarize(of_users)
        for protocol, of_users in ranks.pop(ENSEMBLE).items()
    }
    protocol = config.run.protocol
    networks = {
        f"{name}, {protocol}": summarize(of_network[protocol])
        for name, of_network in ranks.items()
    }
    title = f"{config.data.dataset}, {values['split']}, by protocol"
    _metrics_table(title, {**by_protocol, **networks})


def _recommend(arguments: Sequence[str]) -> None:
    history = {
        "type": str,
        "help": "item ids, oldest first, joined by commas (required)",
    }
    count = {"type": int, "default": 10, "help": "items to recommend"}
    path, values = _run_arguments(
        "recommend", arguments, _RUN_KEYS, history=history, k=count
    )
    if values["history"] is None:
        raise InputError("`emkd recommend` needs --history ID,ID,...")
    if values["k"] < 1:
        raise InputError(f"`k` must be at least 1, got {values['k']}.")
    from emkd_tf.retrieval.recommend import recommend
    from emkd_tf.training.run_dir import open_run

    _, histories, model = open_run(path, _given(values, _RUN_KEYS))
    question = [item for item in values["history"].split(",") if item]
    items, scores, unknown = recommend(model, histories, [question], values["k"])
    if unknown[0]:
        names = ", ".join(unknown[0])
        print(f"Not in the training data, dropped: {names}", file=sys.stderr)
    table = Table("", "item", "score")
    for place, (item, score) in enumerate(zip(items[0], scores[0], strict=True), 1):
        if item:
            table.add_row(str(place), item, f"{score:.4f}")
    Console().print(table)


def _export(arguments: Sequence[str]) -> None:
    keys = (*_RUN_KEYS, "saved_models_dir", "top_k")
    path, values = _run_arguments("export", arguments, keys)
    from emkd_tf.export.saved_model import export_saved_model
    from emkd_tf.training.run_dir import open_run

    config, histories, model = open_run(path, _given(values, keys))
    folder = Path(config.run.saved_models_dir) / path.resolve().name
    _say(f"Export: {export_saved_model(model, histories, folder, config.run.top_k)}")


COMMANDS: dict[str, tuple[Callable[[Sequence[str]], None], str]] = {
    "prepare": (_prepare, "Prepare a dataset and print its counts."),
    "train": (_train, "Prepare, train, evaluate and export in one go."),
    "evaluate": (_evaluate, "Evaluate the best checkpoint of a run."),
    "recommend": (_recommend, "Recommend items for a history of item ids."),
    "export": (_export, "Export the best checkpoint of a run for TF Serving."),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns the exit code."""
    # CUDA's absence is no error; TensorFlow's own errors come back as exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or arguments[0] in ("-h", "--help"):
        _say("usage: emkd COMMAND [--help] ...\n")
        for name, (_, what) in COMMANDS.items():
            _say(f"  {name:<10} {what}")
        return 0
    command, *rest = arguments
    try:
        if command not in COMMANDS:
            hint = nearest(command, COMMANDS)
            raise InputError(f"Unknown command `{command}`. {hint}")
        COMMANDS[command][0](rest)
    except USER_ERRORS as error:
        print(f"emkd: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt as interrupt:
        print(f"emkd: {str(interrupt) or 'interrupted'}", file=sys.stderr)
        return _INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())

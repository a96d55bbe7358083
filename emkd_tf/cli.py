"""The command line: `emkd prepare | train | evaluate | recommend | export`.

TensorFlow loads only when a command needs it: `emkd --help` answers at once.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence

import yaml
from rich.table import Table

from emkd_tf import run_commands
from emkd_tf.config import Config, nearest, to_flat
from emkd_tf.errors import USER_ERRORS, InputError
from emkd_tf.settings import read_settings
from emkd_tf.terminal import metrics_table, say, show

_INTERRUPTED = 130


def _settings(
    command: Callable[[Sequence[str]], None], arguments: Sequence[str]
) -> Config | None:
    """Reads a config, or prints it and returns None."""
    prog = f"emkd {command.__name__}"
    config, is_print = read_settings(prog, command.__doc__, arguments)
    if not is_print:
        return config
    say(yaml.safe_dump(to_flat(config), sort_keys=False).rstrip())
    return None


def prepare(arguments: Sequence[str]) -> None:
    """Prepare a dataset and print its counts."""
    config = _settings(prepare, arguments)
    if config is None:
        return
    from emkd_tf.data import prepare as preparation

    histories = preparation.prepare(config.data)
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
    show(table)
    if counts["licence"]:
        say(f"Licence: {counts['licence']}")
    say(str(histories.folder))


def train(arguments: Sequence[str]) -> None:
    """Prepare, train, evaluate and export in one go."""
    config = _settings(train, arguments)
    if config is None:
        return
    from emkd_tf.training import run

    result = run.train(config)
    if result is None:
        return  # a worker that writes nothing
    metrics = result.metrics
    title = f"{metrics['dataset']}, test, protocol {metrics['protocol']}"
    rows = {
        "EMKD (ensemble)": metrics["test"],
        **metrics["test_by_network"],
        "PopRec": metrics["poprec"],
    }
    metrics_table(title, rows)
    if result.export:
        say(f"Export: {result.export}")
    ndcg = f"NDCG@10 {metrics['test']['NDCG@10']:.4f}"
    say(f"Run: {result.run_dir}  test {ndcg} ({metrics['protocol']})")


COMMANDS: dict[str, Callable[[Sequence[str]], None]] = {
    command.__name__: command
    for command in (
        prepare,
        train,
        run_commands.evaluate,
        run_commands.recommend,
        run_commands.export,
    )
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns the exit code."""
    # CUDA's absence is no error; TensorFlow's own errors come back as exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if not arguments or arguments[0] in ("-h", "--help"):
        say("usage: emkd COMMAND [--help] ...\n")
        for name, function in COMMANDS.items():
            say(f"  {name:<10} {function.__doc__}")
        return 0
    command, *rest = arguments
    try:
        if command not in COMMANDS:
            hint = nearest(command, COMMANDS)
            raise InputError(f"Unknown command `{command}`. {hint}")
        COMMANDS[command](rest)
    except USER_ERRORS as error:
        print(f"emkd: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt as interrupt:
        print(f"emkd: {str(interrupt) or 'interrupted'}", file=sys.stderr)
        return _INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())

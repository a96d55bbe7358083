"""`emkd validate`: a look through a log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from emkd_tf.commands.arguments import settings, take_own
from emkd_tf.commands.terminal import say, show
from emkd_tf.config.model_table import DEFAULT_MODEL, MODELS
from emkd_tf.errors import InputError

_OWN: dict[str, dict[str, Any]] = {
    "FILE": {"nargs": "?", "help": "the log, as the first argument"},
    "--json": {"action": "store_true", "help": "print one JSON object, for programs"},
}
# Separated from the settings: the model decides the default preset.
_TAKEN: dict[str, dict[str, Any]] = {
    "--json": _OWN["--json"],
    "--preset": {},
    "--model": {"default": DEFAULT_MODEL},
}
_ALONE = ("--print-config", "--print_config")  # flags without a value


def validate(arguments: Sequence[str]) -> None:
    """Look through a log: what it holds, what would be dropped and why."""
    given, rest = take_own(_TAKEN, arguments)
    chosen = [f"--model={given.model}"]
    entry = MODELS.get(given.model)
    if preset := given.preset or (entry.preset if entry else None):
        chosen.append(f"--preset={preset}")
    config = settings(validate, [*_with_file_named(rest), *chosen], _OWN)
    if config is None:
        return
    if config.data.interactions is None:
        raise InputError(
            "`emkd validate` needs a FILE, a log of your own: emkd validate log.csv"
        )
    from emkd_tf.data import log_report

    report = log_report.validate(config, preset)
    if given.json:
        say(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        _print_report(report)
    if report["problem"]:
        raise InputError(report["problem"])


def _with_file_named(arguments: Sequence[str]) -> list[str]:
    """Puts its flag before a log that stands alone."""
    named: list[str] = []
    for number, argument in enumerate(arguments):
        before = arguments[number - 1] if number else ""
        is_value = before.startswith("--") and "=" not in before
        if argument.startswith("-") or (is_value and before not in _ALONE):
            named.append(argument)
            continue
        if any(word.startswith("--interactions=") for word in named):
            raise InputError(
                f"`emkd validate` takes one FILE, got {argument!r} as well; look at "
                "one after the other."
            )
        named.append(f"--interactions={argument}")
    return named


def _print_report(report: dict[str, Any]) -> None:
    table = Table(title=f"{report['file']}, {report['kind']}", title_justify="left")
    table.add_column("")
    table.add_column("", justify="right")
    for what in ("rows", "actions", "users", "items"):
        table.add_row(what, f"{report[what]:,}")
    for what in ("user", "item"):
        spread = report[f"actions_per_{what}"]
        table.add_row(
            f"actions per {what}: median, p90, max",
            ", ".join(f"{value:,.1f}".removesuffix(".0") for value in spread.values()),
        )
    if times := report["times"]:
        table.add_row("from", times["earliest"])
        table.add_row("to", times["latest"])
    table.add_row("order", report["order"])
    table.add_row("repeats of a user's item", f"{report['repeats']:,}")
    table.add_row("ties in time", f"{report['ties_in_time']:,}")
    for reason, dropped in report["dropped_rows"].items():
        table.add_row(f"dropped: {reason}", f"{dropped['rows']:,}")
    for what, count in report["left"].items():
        table.add_row(f"left: {what}", f"{count:,}")
    if attributes := report.get("attributes"):
        table.add_row("attribute values", f"{attributes['values']:,}")
        covered = attributes["items_with_attributes"]
        table.add_row("items with attributes", f"{covered:,}")
    show(table)
    for line in _report_lines(report):
        say(line)


def _report_lines(report: dict[str, Any]) -> list[str]:
    from emkd_tf.data.own_files import order_line, rounded_line

    lines = [
        "Columns: " + ", ".join(f"{k} = {v}" for k, v in report["columns"].items()),
        "Columns not used: " + (", ".join(report["unused_columns"]) or "none"),
    ]
    if "time" not in report["columns"]:
        lines.append(order_line(report["likely_times"]))
    elif report["rounded_times"]:
        lines.append(rounded_line(report["rounded_times"]))
    for reason, dropped in report["dropped_rows"].items():
        lines.append(f"First row dropped for {reason}: {dropped['first']}")
    if attributes := report.get("attributes"):
        fields = ", ".join(attributes["columns"]) or "none"
        lines.append(f"Attribute columns: {fields}")
        for name, reason in attributes["left_out"].items():
            lines.append(f"Left out of the attributes: {name} ({reason})")
    if estimate := report["estimate"]:
        lines.append(
            f"An epoch here, about: {estimate['seconds']:,.0f} s for "
            f"{estimate['windows']:,} windows, {estimate['memory_gib']:.1f} GiB"
        )
    if report["next"]:
        lines.append(f"Next: {report['next']}")
    return lines

"""`emkd prepare`: a log or a known dataset as histories."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from rich.table import Table

from emkd_tf.commands.arguments import settings, take_own
from emkd_tf.commands.engines import OPTIONS, spark_session
from emkd_tf.commands.terminal import say, show


def prepare(arguments: Sequence[str]) -> None:
    """Prepare a dataset and print its counts."""
    flags = {f"--{name}": options for name, options in OPTIONS.items()}
    engine, arguments = take_own(flags, arguments)
    config = settings(prepare, arguments, flags)
    if config is None:
        return
    from emkd_tf.data import prepare as preparation
    from emkd_tf.data.own_files import read_lines

    session = spark_session(vars(engine))
    if session is None:
        histories = preparation.prepare(config.data)
    else:
        from emkd_tf.spark import prepare as on_spark

        with session as spark:
            own = functools.partial(on_spark.engine, spark)
            histories = preparation.prepare(config.data, own)
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
    table.add_row("items with attributes", f"{counts['items_with_attributes']:,}", "")
    table.add_row("repeated actions", f"{counts['repeats']:,}", "")
    table.add_row("actions per user", f"{counts['actions_per_user']:.1f}", "")
    table.add_row("actions per item", f"{counts['actions_per_item']:.1f}", "")
    table.add_row("sparsity", f"{counts['sparsity_percent']:.2f} %", "")
    for reason, rows in counts["dropped_rows"].items():
        table.add_row(f"dropped rows: {reason}", f"{rows:,}", "")
    show(table)
    for line in read_lines(counts):
        say(line)
    if counts["licence"]:
        say(f"Licence: {counts['licence']}")
    say(str(histories.folder))

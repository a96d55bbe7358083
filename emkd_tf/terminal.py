"""What the commands print: lines, tables, progress."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

_COLUMNS = ("HR@5", "HR@10", "HR@20", "NDCG@5", "NDCG@10", "NDCG@20", "MRR")


def say(text: str) -> None:
    """Prints a line; paths and ids in full: rich would wrap them."""
    print(text, flush=True)


def show(table: Table) -> None:
    """Prints a table."""
    Console().print(table)


def metrics_table(title: str, rows: dict[str, dict[str, float]]) -> None:
    """Prints the metrics of each row's name."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for column in _COLUMNS:
        table.add_column(column, justify="right")
    for name, metrics in rows.items():
        table.add_row(name, *(f"{metrics[column]:.4f}" for column in _COLUMNS))
    show(table)


@contextlib.contextmanager
def progress(what: str) -> Iterator[Callable[[int], None]]:
    """Shows on standard error how many are done; yields a function that is told how
    many more."""
    text = TextColumn(f"{{task.completed:,}} {what}")
    with Progress(text, TimeElapsedColumn(), console=Console(stderr=True)) as shown:
        task = shown.add_task(what, total=None)
        yield lambda count: shown.advance(task, count)

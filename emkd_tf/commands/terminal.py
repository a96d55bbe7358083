"""What the commands print: lines, tables, progress."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Console, JustifyMethod
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from emkd_tf.config.model_table import BASELINE, MODELS
from emkd_tf.evaluation.text_tables import TextTable

if TYPE_CHECKING:
    from emkd_tf.training.run import RunResult

_FILE_WIDTH = 160
_TERMINAL_WIDTH = 79
_COLUMNS = ("HR@5", "HR@10", "HR@20", "NDCG@5", "NDCG@10", "NDCG@20", "MRR")


def say(text: str) -> None:
    """Prints a line without rich, which would wrap paths and ids."""
    print(text, flush=True)


def two_columns(texts: dict[str, str]) -> list[str]:
    """Returns lines of names and what they are, within the width of any terminal."""
    width = 4 + max(map(len, texts))
    return [
        line
        for name, text in texts.items()
        for line in textwrap.wrap(
            text,
            width=_TERMINAL_WIDTH,
            initial_indent=f"  {name}".ljust(width),
            subsequent_indent=" " * width,
        )
    ]


def show(table: Table) -> None:
    """Prints a table; in a file it gets its full width."""
    console = Console(markup=False)  # ids may look like markup: [live]
    if not console.is_terminal:
        console = Console(width=_FILE_WIDTH, markup=False)
    with console.capture() as shown:
        console.print(table)
    say(shown.get().rstrip("\n"))


def show_text(text: TextTable) -> None:
    """Prints a table of text."""
    table = Table(title=text.title, title_justify="left", padding=(0, 1, 0, 0))
    for place, name in enumerate(text.header):
        justify: JustifyMethod = "right" if place else "left"
        table.add_column(name, justify=justify, overflow="fold")
    for row in text.rows:
        table.add_row(*row)
    show(table)


def metrics_table(title: str, rows: dict[str, dict[str, float]]) -> None:
    """Prints the metrics of each row's name."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for column in _COLUMNS:
        table.add_column(column, justify="right")
    for name, metrics in rows.items():
        table.add_row(name, *(f"{metrics[column]:.4f}" for column in _COLUMNS))
    show(table)


def show_result(model: str, result: RunResult, no_export: str | None = None) -> None:
    """Prints what a run left behind.

    Args:
        model: title of its model.
        result: of the run.
        no_export: why it has no export, if that should be said.
    """
    metrics = result.metrics
    split = "test" if "test" in metrics else "validation"
    protocol, repeats = metrics["protocol"], metrics["repeats"][split]
    by_network = metrics.get("test_by_network", {})
    rows = {
        model: metrics[split],
        **repeats_apart(repeats),
        **(by_network if len(by_network) > 1 else {}),
    }
    if BASELINE in metrics:
        rows[MODELS[BASELINE].title] = metrics[BASELINE]
    metrics_table(f"{metrics['dataset']}, {split}, protocol {protocol}", rows)
    say_repeats(repeats, protocol)
    say_contradictions(metrics)
    if result.export:
        say(f"Export: {result.export}")
    elif no_export:
        say(f"Export: none, {no_export}")
    ndcg = f"NDCG@10 {metrics[split]['NDCG@10']:.4f}"
    say(f"Run: {result.run_dir}  {split} {ndcg} ({protocol})")


def repeats_apart(repeats: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Returns the metrics of repeats and of new items, if there are repeats."""
    kinds = {"repeat": "repeats", "new": "new items"}
    return {kinds[kind]: repeats[kind] for kind in kinds if kind in repeats}


def say_repeats(repeats: dict[str, Any], protocol: str) -> None:
    """Says how many targets are repeats and what the protocol does with them."""
    count, targets = repeats["repeats"], repeats["targets"]
    if not count:
        return
    text = f"{count:,} of {targets:,} targets repeat an item of their user's history"
    if excluded := repeats["excluded"]:
        text += (
            f"; `{protocol}` excludes {excluded:,} of them, which no list can hold "
            "(--recommend-seen true keeps them)"
        )
    say(text)


def say_contradictions(metrics: dict[str, Any]) -> None:
    """Says so if the TFRS lists contradict the ranks, where both exist."""
    checked = metrics.get("tfrs", {})
    if users := checked.get("contradictions"):
        say(
            f"The TFRS lists contradict the ranks of {users:,} users (e.g. "
            f"{checked['example']}); the evaluation is wrong, please report it."
        )


def say_lost(name: str, whole: dict[str, Any], part: dict[str, Any]) -> None:
    """Says how much of a model's accuracy one network keeps.

    Args:
        name: of the model.
        whole, part: metrics of both by "validation" and "test"; what either lacks is
            left out.
    """
    words = []
    for split in ("validation", "test"):
        if split in whole and split in part:
            before, after = (of[split]["NDCG@10"] for of in (whole, part))
            change = f"{after / before - 1:+.1%}" if before else "of none"
            words.append(f"{split} {after:.4f} of {before:.4f} ({change})")
    say(f"NDCG@10 against {name}: {', '.join(words)}")


@contextlib.contextmanager
def progress(what: str) -> Iterator[Callable[[int], None]]:
    """Shows on standard error how many are done; yields a function to call with how
    many more."""
    text = TextColumn(f"{{task.completed:,}} {what}")
    with Progress(text, TimeElapsedColumn(), console=Console(stderr=True)) as shown:
        task = shown.add_task(what, total=None)
        yield lambda count: shown.advance(task, count)

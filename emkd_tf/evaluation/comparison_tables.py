"""Formats the rows of a comparison as readable tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from emkd_tf.evaluation.comparison_report import Row
from emkd_tf.evaluation.metrics import METRICS
from emkd_tf.evaluation.run_ranks import RunRanks
from emkd_tf.evaluation.statistics import Interval
from emkd_tf.evaluation.text_tables import TextTable

_NOTHING = "-"
_OF_DIFFERENCES = (
    *("run", "difference", "95 % over users", "p over users"),
    *("95 % over seeds", "p over seeds"),
)


def comparison_tables(
    rows: Sequence[Row], subject: str, metric: str, reference: str
) -> list[TextTable]:
    """Arranges the rows of a comparison.

    Args:
        rows: of `compare`.
        subject: data, split and protocol in words.
        metric: the metric of the differences.
        reference: the reference group in words.

    Returns:
        All metrics over users, and over seeds if a group has several; differences to
        the reference; the metric for each way of dividing users into parts.
    """
    of_all = [row for row in rows if not row.parted_by]
    tables = [
        _pivot(
            f"{subject}; ± 95 % over users", METRICS, of_all, lambda r: r.metric, _users
        )
    ]
    repeated = [row for row in of_all if row.seeds > 1]
    if repeated:
        title = f"{subject}; ± 95 % over seeds"
        tables.append(_pivot(title, METRICS, repeated, lambda r: r.metric, _seeds))
    if any(row.difference for row in rows):
        title = f"{metric} beside {reference}"
        tables.append(_differences(title, rows))
    return [*tables, *part_tables(rows, metric)]


def part_tables(rows: Sequence[Row], metric: str) -> list[TextTable]:
    """Arranges the rows of parts of the users: one table for each way of dividing."""
    tables = []
    for parted_by in dict.fromkeys(row.parted_by for row in rows if row.parted_by):
        own = [row for row in rows if row.parted_by == parted_by]
        parts = list(dict.fromkeys(_part(row) for row in own))
        title = f"{metric} by {parted_by} (users); ± 95 % over users"
        tables.append(_pivot(title, parts, own, _part, _users))
    return tables


def describe_ranks(run: RunRanks, split: str) -> str:
    """Describes what ranks belong to: data, split, protocol and users."""
    users = f"{len(run.ranks):,} users"
    excluded = int(run.is_excluded.sum())
    if excluded:
        users += f", of them {excluded:,} whose target is excluded"
    return f"{run.dataset}, {split}, protocol {run.protocol}, {users}"


def reference_in_words(reference: str, num_groups: int, *, is_chosen: bool) -> str:
    """Names the reference, and for how many comparisons p is corrected.

    Args:
        reference: the reference group.
        num_groups: groups in the comparison, including the reference.
        is_chosen: the reference was chosen beforehand, not for being the best.
    """
    others = num_groups - 1
    if is_chosen:
        return f"{reference}; p corrected by Holm, comparisons: {others}"
    pairs = others * num_groups // 2
    return f"{reference}, the best; p corrected by Holm, pairs: {pairs}"


def _pivot(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Row],
    column: Callable[[Row], str],
    cell: Callable[[Row], str],
) -> TextTable:
    """Puts each run in one row."""
    cells = {(_run(row), column(row)): cell(row) for row in rows}
    runs = dict.fromkeys(run for run, _ in cells)
    return TextTable(
        title,
        ["run", *columns],
        [[run, *(cells[run, name] for name in columns)] for run in runs],
    )


def _run(row: Row) -> str:
    return row.run if row.seeds == 1 else f"{row.run} ({row.seeds} seeds)"


def _part(row: Row) -> str:
    return f"{row.part} ({row.users:,})"


def _users(row: Row) -> str:
    return f"{row.estimate.mean:.4f} ±{_half(row.estimate.over_users)}"


def _seeds(row: Row) -> str:
    return f"{row.estimate.mean:.4f} ±{_half(row.estimate.over_seeds)}"


def _half(interval: Interval | None) -> str:
    if interval is None:
        return _NOTHING
    return f"{(interval.high - interval.low) / 2:.4f}"


def _differences(title: str, rows: Sequence[Row]) -> TextTable:
    return TextTable(
        title,
        _OF_DIFFERENCES,
        [
            [
                _run(row),
                f"{row.difference.mean:+.4f}",
                _range(row.difference.over_users),
                p_text(row.difference.p_users),
                _range(row.difference.over_seeds),
                p_text(row.difference.p_seeds),
            ]
            for row in rows
            if row.difference
        ],
    )


def _range(interval: Interval | None) -> str:
    return f"{interval.low:+.4f} to {interval.high:+.4f}" if interval else _NOTHING


def p_text(p: float | None, unknown: str = _NOTHING) -> str:
    """Formats a p-value for a table, or returns `unknown` if there is none."""
    if p is None:
        return unknown
    return f"{p:.4f}" if p >= 1e-4 else "<0.0001"

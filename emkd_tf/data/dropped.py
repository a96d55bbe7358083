"""Rows of a log that are left out: how many for each reason, and the first one."""

from __future__ import annotations

import dataclasses
from typing import Any

import polars as pl

from emkd_tf.data.table import Table


@dataclasses.dataclass(frozen=True)
class Dropped:
    """What was left out.

    Attributes:
        counts: rows by reason; each row has one reason, the first that applies.
        first: the place of the first row by reason.
    """

    counts: dict[str, int]
    first: dict[str, str]

    @classmethod
    def read(
        cls, table: Table, kept: dict[str, pl.Expr], found: dict[str, Any]
    ) -> Dropped:
        """Interprets the values of the aggregates of `counted`.

        Args:
            table: names the places.
            kept: conditions, keyed by the reason why rows that fail are left out.
            found: the values of the aggregates.
        """
        counts = {reason: found[reason] for reason in kept if found[reason]}
        first = {reason: table.place(found[_first(reason)]) for reason in counts}
        return cls(counts, first)

    def __or__(self, other: Dropped) -> Dropped:
        return Dropped(self.counts | other.counts, self.first | other.first)


def counted(kept: dict[str, pl.Expr]) -> dict[str, pl.Expr]:
    """Returns aggregates for a frame with a column "row": for each reason, how many
    rows are left out, and the first one.

    Args:
        kept: conditions, keyed by the reason why rows that fail are left out.
    """
    found, passed = {}, pl.lit(True)
    for reason, is_kept in kept.items():
        fails = passed & ~is_kept
        found[reason] = fails.sum()
        found[_first(reason)] = pl.col("row").filter(fails).min()
        passed = passed & is_kept
    return found


def _first(reason: str) -> str:
    return f"first {reason}"

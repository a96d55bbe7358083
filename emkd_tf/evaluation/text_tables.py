"""Writes tables of text as Markdown, LaTeX and CSV."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Sequence

_LATEX = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "±": r"$\pm$",
}


@dataclasses.dataclass(frozen=True)
class TextTable:
    """A table whose first column names its rows.

    Attributes:
        title: one line.
        header: a name for each column.
        rows: cells, as many as the header has.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


def to_markdown(table: TextTable) -> str:
    """Returns a table in GitHub's Markdown, with its title above."""
    marks = ["---", *["---:"] * (len(table.header) - 1)]
    escaped = [
        [cell.replace("|", r"\|") for cell in row]
        for row in (table.header, marks, *table.rows)
    ]
    lines = [f"| {' | '.join(row)} |" for row in escaped]
    return "\n".join([f"**{table.title}**", "", *lines, ""])


def to_latex(table: TextTable) -> str:
    """Returns a `table` with its title as caption; requires the package booktabs."""
    header, *rows = (
        " & ".join(_in_latex(cell) for cell in row) + r" \\"
        for row in (table.header, *table.rows)
    )
    return "\n".join(
        [
            r"\begin{table}",
            rf"\caption{{{_in_latex(table.title)}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(table.header) - 1)}}}",
            *(r"\toprule", header, r"\midrule", *rows, r"\bottomrule"),
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def to_csv(table: TextTable) -> str:
    """Returns a table without its title."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([table.header, *table.rows])
    return text.getvalue()


def _in_latex(text: str) -> str:
    return "".join(_LATEX.get(sign, sign) for sign in text)

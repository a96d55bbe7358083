"""The report of an experiment as files: Markdown, CSV, LaTeX, and figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from emkd_tf.atomic_files import write_text
from emkd_tf.evaluation.text_tables import TextTable, to_csv, to_latex, to_markdown
from emkd_tf.experiments.cells import Cell
from emkd_tf.experiments.fairness import checks, ladder
from emkd_tf.experiments.folders import tried_folder
from emkd_tf.experiments.grid import Experiment
from emkd_tf.experiments.report import Findings, findings
from emkd_tf.experiments.report_tables import frame, table
from emkd_tf.experiments.spent import spent


def write_report(
    experiment: Experiment,
    dataset: str,
    cells: Sequence[Cell],
    folder: Path,
    command: str,
) -> tuple[TextTable, list[Path]]:
    """Writes what the finished runs show.

    Args:
        experiment: of kind runs.
        dataset: its name.
        cells: of the experiment on the dataset.
        folder: to write to.
        command: that makes the report, to be shown in it.

    Returns:
        The table, and the files.
    """
    found = findings(experiment, dataset, cells)
    text = table(experiment, found)
    stem = f"{experiment.name}-{dataset}"
    with tried_folder(folder, "--output"):
        pictures = _draw(experiment, found, folder / stem)
    lines = [f"# {experiment.title}: {dataset}", "", f"    {command}", ""]
    lines += [*_reading(experiment, found), "", to_markdown(text)]
    lines += _fairness(found, cells)
    lines += [f"![{experiment.title}]({picture.name})" for picture in pictures[:1]]
    pages = {
        ".md": "\n".join(lines).rstrip() + "\n",
        ".csv": frame(found).write_csv(),
        ".tex": to_latex(text),
    }
    return text, [*_write(folder, stem, pages), *pictures]


def write_counted(
    experiment: Experiment, text: TextTable, folder: Path, command: str
) -> list[Path]:
    """Writes what was counted, and returns the files.

    Args:
        experiment: of a kind other than runs.
        text: its table.
        folder, command: see `write_report`.
    """
    lines = [f"# {experiment.title}", "", f"    {command}", ""]
    lines += [experiment.note, ""] if experiment.note else []
    pages = {
        ".md": "\n".join([*lines, to_markdown(text)]),
        ".csv": to_csv(text),
        ".tex": to_latex(text),
    }
    return _write(folder, experiment.name, pages)


def _draw(experiment: Experiment, found: Findings, stem: Path) -> list[Path]:
    """Draws the figure, if there is one, and returns its files."""
    if experiment.x is None:
        return []
    from emkd_tf.experiments.figure import draw

    files = [stem.with_name(f"{stem.name}{ending}") for ending in (".png", ".svg")]
    return files if draw(experiment, found, files) else []


def _write(folder: Path, stem: str, pages: dict[str, str]) -> list[Path]:
    with tried_folder(folder, "--output"):
        for ending, content in pages.items():
            write_text(folder / f"{stem}{ending}", content)
    return [folder / f"{stem}{ending}" for ending in pages]


def _fairness(found: Findings, cells: Sequence[Cell]) -> list[str]:
    """Answers the questions that every report answers."""
    lines = ["## Is it fair?", "", *(f"- {line}" for line in checks(found)), ""]
    tables = (spent(found), ladder(found, cells))
    return [*lines, *(to_markdown(table) for table in tables if table is not None)]


def _reading(experiment: Experiment, found: Findings) -> list[str]:
    """Says what the numbers are."""
    missing = [r.label for r in found.results if not r.metrics]
    lines = [
        f"All items are ranked, protocol `{found.protocol}`; the best epoch was chosen "
        "by validation and the test read once. ± is 95 % over users, in brackets over "
        "seeds; p is of the difference over users, and over seeds where several were "
        "run, corrected for all comparisons (Holm). ** marks the best row and * the "
        "second best, where the lead over every lower row is significant (every "
        "p < .05). Seconds are of training, by the "
        "clock, CPU seconds over all cores; both with validations.",
        "",
        "Machines: " + ("; ".join(found.machines) or "none yet") + ".",
    ]
    if missing:
        lines += ["", f"Not run: {', '.join(missing)}."]
    if experiment.note:
        lines += ["", experiment.note]
    return lines

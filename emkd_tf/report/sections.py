"""The sections of a report: what each says, its tables and its pictures."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from emkd_tf.config.model_table import BASELINE, MODELS
from emkd_tf.data.histories import Histories
from emkd_tf.evaluation.comparison_report import compare
from emkd_tf.evaluation.comparison_tables import (
    comparison_tables,
    describe_ranks,
    part_tables,
    reference_in_words,
)
from emkd_tf.evaluation.metrics import METRICS
from emkd_tf.evaluation.run_ranks import seed_groups
from emkd_tf.evaluation.text_tables import TextTable
from emkd_tf.evaluation.user_parts import by_bounds, popularity_bounds
from emkd_tf.report import drawings
from emkd_tf.report.lists import ListFacts, describe, shares_of
from emkd_tf.report.pictures import Picture
from emkd_tf.report.run_files import RunFiles

_POPULAR = MODELS[BASELINE].title


@dataclasses.dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes:
        title: its heading.
        text: what its figures are, in a few sentences.
        tables, pictures: below the text.
    """

    title: str
    text: str
    tables: Sequence[TextTable] = ()
    pictures: Sequence[Picture] = ()


def metrics_sections(runs: Sequence[RunFiles], metric: str) -> list[Section]:
    """Returns the metrics of all users, and of groups of them."""
    groups = seed_groups([run.ranks for run in runs])
    reference, rows = compare(groups, metric)
    subject = describe_ranks(runs[0].ranks, "test")
    against = reference_in_words(reference, len(groups), is_chosen=False)
    of_all = [row for row in rows if not row.parted_by]
    tables = comparison_tables(of_all, subject, metric, against)
    sections = [
        Section(
            "Metrics",
            "All items of the catalogue are ranked; the best epoch was chosen by the "
            "validation and the test read once. "
            f"{_POPULAR} recommends what is popular.",
            [*tables, *(_beside(run) for run in runs)],
        )
    ]
    parted_by = list(dict.fromkeys(row.parted_by for row in rows if row.parted_by))
    if parted_by:
        text = (
            "Test users by the length of their history, and by how often their target "
            "is in the training data: tail, middle and head have about a third of the "
            "users each."
        )
        pictures = [drawings.parts_picture(rows, each) for each in parted_by]
        title = "By history and popularity"
        sections.append(Section(title, text, part_tables(rows, metric), pictures))
    return sections


def _beside(run: RunFiles) -> TextTable:
    """Shows what `metrics.json` has besides the test of the run's own protocol."""
    metrics = run.metrics
    rows = {"validation": metrics["validation"], "test": metrics["test"]}
    for protocol, of_protocol in metrics["test_by_protocol"].items():
        if protocol != metrics["protocol"]:
            rows[f"test, protocol {protocol}"] = of_protocol
    rows[f"{_POPULAR}, test"] = metrics[BASELINE]
    return _metrics_table(f"{run.name}: validation, protocols, popularity", rows)


def _metrics_table(title: str, rows: Mapping[str, Mapping[str, float]]) -> TextTable:
    lines = [[name, *(f"{of[m]:.4f}" for m in METRICS)] for name, of in rows.items()]
    return TextTable(title, ["", *METRICS], lines)


def curves_section(runs: Sequence[RunFiles], metric: str) -> Section | None:
    """Returns validation and losses by epoch, for runs that were trained."""
    pictures = [
        drawings.loss_picture(run, stage) for run in runs for stage in run.stages()
    ]
    validation = drawings.validation_picture(runs, metric)
    if validation:
        pictures.insert(0, validation)
    if not pictures:
        return None
    best = [
        f"{run.name} {run.metrics['best_epoch']} of {run.epochs[-1]['epoch']}"
        for run in runs
        if run.epochs
    ]
    return Section("Training", f"Best epoch: {', '.join(best)}.", (), pictures)


def networks_section(runs: Sequence[RunFiles], metric: str) -> Section | None:
    """Returns what ensembles gain over their networks."""
    several = [run for run in runs if run.networks]
    if not several:
        return None
    tables = []
    for run in several:
        rows = {"all networks": run.metrics["test"], **run.networks}
        table = _metrics_table(f"{run.name}: networks alone", rows)
        tables.append(dataclasses.replace(table, rows=[*table.rows, _gain(run)]))
    pictures = [drawings.networks_picture(run, metric) for run in several]
    text = (
        "The ensemble adds up its networks' scores; each network is also ranked alone."
    )
    return Section("Ensemble and networks", text, tables, pictures)


def _gain(run: RunFiles) -> list[str]:
    """Returns how much better the ensemble is than its best network."""
    cells = ["gain over the best network"]
    for metric in METRICS:
        best = max(of[metric] for of in run.networks.values())
        gain = run.metrics["test"][metric] / best - 1.0 if best else np.nan
        cells.append(f"{gain:+.1%}" if np.isfinite(gain) else "-")
    return cells


def lists_section(
    lists: Mapping[str, np.ndarray], histories: Histories, k: int
) -> Section:
    """Returns how much of the catalogue lists show, next to the users' targets.

    Args:
        lists: [n, k] int32 item ids of test users by run.
        histories: of all users.
        k: items per list.
    """
    counts = histories.training_item_counts()
    targets = np.asarray(histories.targets("test"))
    bounds = popularity_bounds(counts[targets - 1])
    found = {name: describe(of_run, counts, bounds) for name, of_run in lists.items()}
    of_targets = describe(targets[:, np.newaxis], counts, bounds)
    shares = {
        "catalogue": shares_of(by_bounds(counts, bounds)),
        "test targets": of_targets.shares,
        **{name: facts.shares for name, facts in found.items()},
    }
    parts = list(shares["catalogue"])
    pictures = [
        drawings.shares_picture(shares, parts),
        drawings.concentration_picture(
            {"training": counts, **{name: of.counts for name, of in found.items()}}
        ),
    ]
    text = (
        f"The best {k} items of every test user. Coverage: the share of the catalogue "
        "that is in at least one list. Novelty: how surprising recommended items are "
        "on average, minus log2 of an item's share of the training actions, in bits."
    )
    rows = {**found, "test targets": of_targets}
    return Section("Lists", text, [_lists_table(rows, parts)], pictures)


def _lists_table(found: Mapping[str, ListFacts], parts: Sequence[str]) -> TextTable:
    rows = [
        [
            name,
            f"{facts.coverage:.1%}",
            f"{facts.novelty:.2f}",
            *(f"{facts.shares.get(part, 0.0):.1%}" for part in parts),
        ]
        for name, facts in found.items()
    ]
    return TextTable(
        "What lists are made of", ["", "coverage", "novelty", *parts], rows
    )

"""What the runs of an experiment show, as a table to read and one with every number."""

from __future__ import annotations

import polars as pl

from emkd_tf.evaluation.comparison_report import bounds
from emkd_tf.evaluation.comparison_tables import p_text
from emkd_tf.evaluation.text_tables import TextTable
from emkd_tf.experiments.grid import Experiment
from emkd_tf.experiments.report import Findings, Result, marked

_NOT_RUN = "not run"


def table(experiment: Experiment, found: Findings) -> TextTable:
    """Returns the table, with the source's values next to ours."""
    marks = marked(found)
    first = experiment.metrics[0]
    header = ["row"]
    published = {metric for result in found.results for metric in result.published}
    for metric in experiment.metrics:
        header += [f"{metric} published"] * (metric in published) + [metric]
    header += [f"{first} to {found.reference or 'the best'}", "p"]
    has_seeds = any(r.difference and r.difference.p_seeds for r in found.results)
    header += ["p over seeds"] * has_seeds
    header += ["seeds", "parameters", "CPU seconds", "seconds"]
    rows = []
    for result in found.results:
        cells = [result.label]
        for metric in experiment.metrics:
            if metric in published:
                known = result.published.get(metric)
                cells.append("" if known is None else f"{known:.4f}")
            cells.append(_estimated(result, metric))
        cells += _compared(result)[: 2 + has_seeds]
        cells[header.index(first)] += {"best": " **", "second": " *"}.get(
            marks.get(result.label, ""), ""
        )
        cells.append(str(result.seeds))
        counts = (result.parameters, result.processor_seconds, result.seconds)
        cells += ["" if count is None else f"{count:,.0f}" for count in counts]
        rows.append(cells)
    return TextTable(f"{experiment.title}: {found.dataset}, test", header, rows)


def _estimated(result: Result, metric: str) -> str:
    if metric not in result.metrics:
        return _NOT_RUN
    found = result.metrics[metric]
    low, high = found.over_users
    text = f"{found.mean:.4f} ±{(high - low) / 2:.4f}"
    if found.over_seeds:
        low, high = found.over_seeds
        text += f" (seeds ±{(high - low) / 2:.4f})"
    return text


def _compared(result: Result) -> list[str]:
    """Returns the difference, and its p-values over users and over seeds."""
    difference = result.difference
    if difference is None:
        return ["", "", ""]
    chances = (difference.p_users, difference.p_seeds)
    return [f"{difference.mean:+.4f}", *(p_text(p, unknown="") for p in chances)]


def frame(found: Findings) -> pl.DataFrame:
    """Returns every number in full: one row per row and metric."""
    rows = [
        {
            "dataset": found.dataset,
            "row": result.label,
            "seeds": result.seeds,
            "metric": metric,
            "published": result.published.get(metric),
            **bounds("value", result.metrics.get(metric)),
            **_tested(result if metric == found.metrics[0] else None),
            "parameters": result.parameters,
            "processor_seconds": result.processor_seconds,
            "seconds": result.seconds,
        }
        for result in found.results
        for metric in found.metrics
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _tested(result: Result | None) -> dict[str, float | None]:
    difference = result and result.difference
    return {
        "difference": difference.mean if difference else None,
        "p_users": difference.p_users if difference else None,
        "p_seeds": difference.p_seeds if difference else None,
    }

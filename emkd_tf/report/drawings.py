"""The pictures of finished runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import (
    LogLocator,
    MaxNLocator,
    NullLocator,
    StrMethodFormatter,
)

from emkd_tf.evaluation.comparison_report import Row
from emkd_tf.report.pictures import Picture, finish, one_panel, panels
from emkd_tf.report.run_files import RunFiles

_LEGEND_ROWS = 4
_BINS = 21


def validation_picture(runs: Sequence[RunFiles], metric: str) -> Picture | None:
    """Draws validation by epoch: of all runs and, if there is only one, its
    networks."""
    figure, axes = one_panel()
    for run in runs:
        for network, (epochs, values) in run.validation_curves(metric).items():
            if network and len(runs) > 1:
                continue
            name = network or (run.name if len(runs) > 1 else "all networks")
            width = 1.0 if network else 2.0
            marker = "o" if len(epochs) == 1 else None
            axes.plot(epochs, values, label=name, marker=marker, linewidth=width)
    if not axes.lines:
        return None
    axes.set_xlabel("epoch")
    _ticks_at_epochs(axes)
    axes.set_ylabel(f"validation {metric}")
    _legend(axes)
    return finish(figure, "validation", f"{metric} of the validation by epoch")


def loss_picture(run: RunFiles, stage: str | None) -> Picture:
    """Draws the terms of a training's loss by epoch, one panel each; thin lines are the
    parts of its networks."""
    terms = run.loss_terms(stage)
    figure, every = panels(len(terms))
    for axes, term in zip(every, terms, strict=True):
        for network in ("", *(f"{name}/" for name in run.networks)):
            epochs, values = run.curve(f"loss/{network}{term}", stage)
            marker = "o" if len(epochs) == 1 else None
            axes.plot(epochs, values, marker=marker, linewidth=1.0 if network else 2.0)
        axes.set_title(term.replace("_", " "))
        _ticks_at_epochs(axes)
    of_stage = f", {stage}" if stage else ""
    name = "-".join(["loss", run.name, *([stage] if stage else [])])
    caption = f"Terms of the training loss by epoch: {run.name}{of_stage}"
    return finish(figure, name, caption)


def parts_picture(rows: Sequence[Row], parted_by: str) -> Picture:
    """Draws the metric for groups of users, with its interval over users."""
    own = [row for row in rows if row.parted_by == parted_by]
    parts = {row.part: row.users for row in own}
    runs = list(dict.fromkeys(row.run for row in own))
    figure, axes = one_panel()
    for at, run in enumerate(runs):
        means = np.array([r.estimate.mean for r in own if r.run == run])
        bounds = np.array([r.estimate.over_users for r in own if r.run == run])
        shift = (at - (len(runs) - 1) / 2) * 0.6 / len(runs)
        errors = np.abs(bounds.T - means)
        x = np.arange(len(parts)) + shift
        axes.errorbar(x, means, yerr=errors, fmt="o", capsize=3, label=run)
    labels = [f"{part}\n{users:,}" for part, users in parts.items()]
    axes.set_xticks(range(len(parts)), labels, fontsize=8)
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel(f"{parted_by}, users")
    axes.set_ylabel(f"test {own[0].metric}")
    if len(runs) > 1:
        _legend(axes)
    name = f"by-{parted_by.replace(' ', '-')}"
    caption = f"{own[0].metric} by {parted_by}, with its 95 % interval over users"
    return finish(figure, name, caption)


def networks_picture(run: RunFiles, metric: str) -> Picture:
    """Draws a metric of the ensemble and of each of its networks alone."""
    values = {"all networks": run.metrics["test"][metric]}
    values.update({name: of[metric] for name, of in run.networks.items()})
    figure, axes = one_panel()
    colours = ["C0", *["C1"] * len(run.networks)]
    bars = axes.barh(list(values), list(values.values()), color=colours)
    axes.bar_label(bars, fmt="{:.4f}", padding=3)
    axes.yaxis.grid(False)  # would strike the values through
    axes.margins(x=0.18)
    axes.invert_yaxis()
    axes.set_xlabel(f"test {metric}")
    caption = f"{metric} of the ensemble and of each network alone: {run.name}"
    return finish(figure, f"networks-{run.name}", caption)


def shares_picture(
    shares: Mapping[str, Mapping[str, float]], parts: Sequence[str]
) -> Picture:
    """Draws what share of lists, targets and catalogue is head, middle and tail.

    Args:
        shares: by what is divided, and by part.
        parts: in their order.
    """
    figure, axes = one_panel()
    left = np.zeros(len(shares))
    for part in parts:
        widths = np.array([of.get(part, 0.0) for of in shares.values()])
        axes.barh(list(shares), widths, left=left, label=part)
        left += widths
    axes.invert_yaxis()
    axes.set_xlim(0.0, 1.0)
    axes.xaxis.set_major_formatter("{x:.0%}")
    figure.legend(loc="outside lower center", ncols=min(3, len(parts)), fontsize=8)
    caption = "Head, middle and tail of the catalogue in lists and targets"
    return finish(figure, "shares", caption)


def concentration_picture(counts: Mapping[str, np.ndarray]) -> Picture:
    """Draws what share the most frequent items make up.

    Args:
        counts: [V] int, how often each item is in what the name says.
    """
    figure, axes = one_panel()
    for name, of_items in counts.items():
        ordered = np.sort(of_items)[::-1]
        share = np.append(0.0, np.cumsum(ordered) / ordered.sum())
        axes.plot(np.linspace(0.0, 1.0, len(share)), share, label=name)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter("{x:.0%}")
    axes.set_xlabel("share of the items, the most frequent first")
    axes.set_ylabel("share of all")
    _legend(axes)
    caption = "How much of lists and of the training the most frequent items make up"
    return finish(figure, "concentration", caption)


def data_picture(lengths: np.ndarray, training_counts: np.ndarray) -> Picture:
    """Draws how long histories are and how often items are chosen.

    Args:
        lengths: [users] int, actions of each history.
        training_counts: [V] int.
    """
    figure, (left, right) = panels(2)
    figure.set_size_inches(4.8, 2.4)
    first, last = int(lengths.min()), int(lengths.max())
    if last - first < _BINS:
        left.hist(lengths, bins=(np.arange(first, last + 2) - 0.5).tolist())
        left.xaxis.set_major_locator(MaxNLocator(integer=True))
    else:
        left.hist(lengths, bins=np.geomspace(first, last, _BINS).tolist())
        left.set_xscale("log")
        left.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        left.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        left.xaxis.set_minor_locator(NullLocator())
    left.set_xlabel("actions of a history")
    left.set_ylabel("users")
    seen = np.sort(training_counts[training_counts > 0])[::-1]
    right.plot(np.arange(1, len(seen) + 1), seen)
    right.set_xscale("log")
    right.set_yscale("log")
    right.set_xlabel("item, by popularity")
    right.set_ylabel("training actions")
    return finish(figure, "data", "Lengths of the histories; popularity of the items")


def _ticks_at_epochs(axes: Axes) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    low, high = axes.dataLim.intervalx
    axes.set_xlim(low - 0.5, high + 0.5)  # also if there is one epoch


def _legend(axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    columns = 1 + (len(labels) - 1) // _LEGEND_ROWS
    axes.legend(handles, labels, fontsize=8, ncols=columns)

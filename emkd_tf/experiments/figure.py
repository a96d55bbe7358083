"""A figure of an experiment: its metric by a setting, or by the time taken."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from emkd_tf.experiments.grid import BY_SECONDS, Experiment
from emkd_tf.experiments.report import Findings, Result
from emkd_tf.experiments.spent import last_epochs

_TITLE_WIDTH = 80  # characters
# Where a point's name may begin or end, in points from it; the first are the best.
_SIDES = [
    (side, (sign * 5, height))
    for height in (-3, 6, -12)
    for side, sign in (("left", 1), ("right", -1))
]


def draw(experiment: Experiment, found: Findings, files: Sequence[Path]) -> bool:
    """Draws the results by `experiment.x` to files of the types that their endings
    name.

    Returns:
        Whether there was anything to draw.
    """
    finished = [result for result in found.results if result.metrics]
    if experiment.x is None or not finished:
        return False
    # Without pyplot, which would choose a backend for a notebook's own pictures.
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    axes.set_ylabel(f"test {experiment.metrics[0]}")
    title = textwrap.fill(f"{experiment.title}: {found.dataset}", _TITLE_WIDTH)
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    if experiment.x == BY_SECONDS:
        named = _by_seconds(axes, found, experiment.metrics[0])
        figure.draw_without_rendering()  # otherwise nothing has its place yet
        _name(axes, *named)
    else:
        _by_setting(axes, experiment, experiment.x, finished)
    for file in files:
        figure.savefig(file, dpi=150, metadata=_undated(file))
    return True


def _undated(file: Path) -> dict[str, None]:
    """Makes files drawn again from the same runs equal."""
    return {"Date": None} if file.suffix == ".svg" else {}


def _by_seconds(
    axes: Axes, found: Findings, metric: str
) -> tuple[dict[str, tuple[float, float]], list[Artist]]:
    """By CPU seconds, or by the clock where something else computes or a run does not
    know them; counted models took none, and are lines.

    Returns:
        The points by name, and what is drawn of them.
    """
    finished = [result for result in found.results if result.metrics]
    trained = [r for r in finished if last_epochs(found.runs[r.label][0])]
    is_on_cpu = not any("GPU" in machine for machine in found.machines)
    is_on_cpu = is_on_cpu and all(r.processor_seconds is not None for r in trained)
    for result in finished:
        if result not in trained:
            _counted(axes, result.label, result.metrics[metric].mean)
    points = [
        ((r.processor_seconds if is_on_cpu else r.seconds) or 0.0, r) for r in trained
    ]
    bars: list[Artist] = []
    for seconds, result in points:
        value = result.metrics[metric]
        low, high = value.over_users
        errors = [[value.mean - low], [high - value.mean]]
        bar = axes.errorbar(seconds, value.mean, yerr=errors, fmt="o", capsize=2)
        bars += bar.get_children()
    axes.set_xscale("log")
    axes.margins(x=0.12)  # room for the last name
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(f"{'CPU seconds' if is_on_cpu else 'seconds'} of training")
    return {r.label: (x, r.metrics[metric].mean) for x, r in points}, bars


def _name(
    axes: Axes, points: Mapping[str, tuple[float, float]], others: Sequence[Artist]
) -> None:
    """Writes the names of points beside them, each on the side where it overlaps least
    with other names and with whatever else is drawn."""
    taken = [artist.get_window_extent() for artist in others]
    for name, point in points.items():
        texts = [
            axes.annotate(
                name, point, offset, textcoords="offset points", fontsize=8, ha=side
            )
            for side, offset in _SIDES
        ]
        boxes = [text.get_window_extent() for text in texts]
        overlaps = [sum(map(box.overlaps, taken)) for box in boxes]
        best = overlaps.index(min(overlaps))
        taken.append(boxes[best])
        for text in texts[:best] + texts[best + 1 :]:
            text.remove()


def _counted(axes: Axes, label: str, value: float) -> None:
    """Draws a line with its name at the left edge."""
    axes.axhline(value, linestyle="--", linewidth=1, color="gray")
    axes.annotate(
        label,
        (0, value),
        xycoords=axes.get_yaxis_transform(),
        xytext=(3, 2),
        textcoords="offset points",
        fontsize=8,
    )


def _by_setting(
    axes: Axes, experiment: Experiment, setting: str, results: Sequence[Result]
) -> None:
    """A line for the rows that differ in nothing but the setting."""
    metric = experiment.metrics[0]
    lines: dict[str, list[Result]] = {}
    for result in results:
        # The value as the file writes it: 1e-1 is .1 in the settings.
        ending = f"{setting} {experiment.rows[result.label].get(setting)}"
        name = result.label.removesuffix(ending).strip()
        if result.label.endswith(ending) or setting in experiment.rows[result.label]:
            lines.setdefault(name, []).append(result)
    values = [r.settings[setting] for points in lines.values() for r in points]
    has_order = all(isinstance(value, (int, float)) for value in values)
    if all(isinstance(value, int) for value in values):
        axes.set_xticks(sorted(set(values)))  # there are none between them
    for name, points in lines.items():
        if has_order:
            points.sort(key=lambda result: result.settings[setting])
        x = [result.settings[setting] for result in points]
        x = x if has_order else [str(value) for value in x]
        means = [result.metrics[metric] for result in points]
        low = [m.mean - m.over_users.low for m in means]
        high = [m.over_users.high - m.mean for m in means]
        y = [m.mean for m in means]
        axes.errorbar(x, y, yerr=[low, high], marker="o", capsize=2, label=name or None)
    axes.set_xlabel(setting)
    if any(lines):
        axes.legend(fontsize=8)

"""Pictures as files: one drawing as SVG for pages and as PNG for slides."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# For lines, text and grid: the page chooses their colour, light or dark.
_INK = "#123456"
# Readable on both white and black.
COLOURS = (
    *("#3f87d1", "#dd7a2e", "#2f9e77", "#c2589a", "#8a74d6", "#a98f1f"),
    *("#4fa9b8", "#c65353"),
)
_STYLE: Any = {
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor"), _INK),
    **dict.fromkeys(("xtick.color", "ytick.color", "grid.color"), _INK),
    **dict.fromkeys(("axes.spines.top", "axes.spines.right"), False),
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.2,
    "axes.titlesize": 10,
    "font.size": 9,
    "legend.frameon": False,
    "svg.fonttype": "none",  # text that a browser can find, in the page's fonts
    "svg.hashsalt": "emkd_tf",  # the same drawing gives the same file
}
_SIZE = (4.8, 3.2)  # inches; a phone shows it without shrinking it much
_THEMES = (
    "<style>svg{color:#1f2328;font-family:sans-serif}"
    "@media(prefers-color-scheme:dark){svg{color:#e6edf3}}</style>"
)


@dataclasses.dataclass(frozen=True)
class Picture:
    """A drawing.

    Attributes:
        name: of its files, without an ending.
        caption: what it shows, in a sentence.
        svg: with the ink of the reader's theme.
        png: with dark ink on white.
    """

    name: str
    caption: str
    svg: str
    png: bytes


@contextmanager
def drawing() -> Iterator[None]:
    """Gives pictures drawn inside the same look."""
    with matplotlib.rc_context(_STYLE):
        yield


def one_panel() -> tuple[Figure, Axes]:
    """Returns a figure with one panel."""
    # Without pyplot, which would choose a backend for a notebook's own pictures.
    figure = Figure(figsize=_SIZE, layout="constrained")
    return figure, figure.subplots()


def panels(count: int) -> tuple[Figure, Sequence[Axes]]:
    """Returns a figure with several panels, two in a row."""
    rows = (count + 1) // 2
    size = (_SIZE[0], 1.5 * rows + 0.3)
    figure = Figure(figsize=size, layout="constrained")
    every = list(figure.subplots(rows, 2, squeeze=False).ravel())
    for unused in every[count:]:
        unused.axis("off")
    return figure, every[:count]


def finish(figure: Figure, name: str, caption: str) -> Picture:
    """Returns a drawing as a picture."""
    vector, bitmap = io.StringIO(), io.BytesIO()
    figure.savefig(vector, format="svg", transparent=True, metadata={"Date": None})
    figure.savefig(bitmap, format="png", dpi=150)
    text = vector.getvalue()
    start = text.index("<svg")
    head_end = text.index(">", start) + 1
    themed = text[start:head_end] + _THEMES + text[head_end:]
    svg = themed.replace(_INK, "currentColor")
    return Picture(name, caption, svg, bitmap.getvalue())

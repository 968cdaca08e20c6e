"""Figures in the house style: sizes of a paper's column or page, letters that ship with matplotlib, little ink."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import matplotlib
from cycler import cycler
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import Formatter, FuncFormatter, NullFormatter

from mesoscope.report.words import visible
from mesoscope_train.figures.colours import GRID, GROUND, INK, LABEL_COLOURS, QUIET, SERIES

Width = Literal["column", "page"]
WIDTHS: Mapping[Width, float] = {"column": 3.35, "page": 6.9}
"""Inches: one column and the full width of the common two-column layouts (85 and 175 mm)."""
SIZE, SMALL = 7.5, 6.5
"""Points: of letters, and of numbers that stand at marks."""
_LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))

_STYLE: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": SIZE,
    "axes.titlesize": SIZE,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 5,
    "axes.labelsize": SIZE,
    "axes.labelcolor": QUIET,
    "axes.labelpad": 3,
    "axes.edgecolor": QUIET,
    "axes.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.prop_cycle": cycler(color=SERIES) + cycler(linestyle=_LINES),
    "figure.facecolor": GROUND,
    "figure.titlesize": SIZE,
    "text.color": INK,
    # names of files and slices are strangers' text: a dollar sign in them starts no formula
    "text.parse_math": False,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SIZE,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.minor.size": 1.5,
    "xtick.minor.width": 0.4,
    "grid.color": GRID,
    "grid.linewidth": 0.4,
    "lines.linewidth": 1.2,
    "lines.solid_capstyle": "butt",
    "patch.linewidth": 0,
    "legend.frameon": False,
    "legend.fontsize": SIZE,
    "legend.handlelength": 0.8,
    "legend.handleheight": 0.8,
    "legend.handletextpad": 0.5,
    "legend.columnspacing": 1.4,
    "legend.borderpad": 0,
    "legend.borderaxespad": 0.3,
    "figure.constrained_layout.h_pad": 0.03,
    "figure.constrained_layout.w_pad": 0.03,
    # element names in SVG depend on this salt and the content only: the same figure is the same file
    "svg.hashsalt": "mesoscope",
}


@contextmanager
def house_style() -> Iterator[None]:
    """The house style for a block, or as a decorator for a function that draws; matplotlib's defaults come back.

    matplotlib keeps styles in a table of the whole process: draw in one thread at a time.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def new_figure(width: Width = "column", *, height: float = 2.2) -> Figure:
    """An empty figure, readable at the width of a paper's column or page.

    To be called, and drawn on, inside `house_style`.

    Args:
        width: see `WIDTHS`.
        height: in inches.
    """
    return Figure(figsize=(WIDTHS[width], height), layout="constrained")


def name_classes(figure: Figure, labels: Mapping[str, str]) -> None:
    """Name the classes above the figure, each in its colour.

    Args:
        figure: with a constrained layout, as `new_figure` makes them.
        labels: ``real`` and / or ``fake`` to what is said of it ("real, 148 rows").
    """
    figure.legend(
        handles=[Patch(color=LABEL_COLOURS[label]) for label in labels],
        labels=list(labels.values()),
        labelcolor=[LABEL_COLOURS[label] for label in labels],
        loc="outside upper left",
        ncols=len(labels),
    )


def shortened(text: str, length: int = 28) -> str:
    """A name that fits a figure: what cannot be seen is written out, and a long one loses its middle.

    Args:
        text: a stranger's.
        length: the most characters, above 4.
    """
    text = visible(text)
    if len(text) <= length:
        return text
    tail = (length - 1) // 3
    return f"{text[: length - 1 - tail]}…{text[-tail:]}"


def shortened_apart(names: Sequence[str], length: int = 28) -> list[str]:
    """Names that fit a figure and can still be told apart: those that would look alike keep what differs."""
    short = [shortened(name, length) for name in names]
    alike = {text for text in short if short.count(text) > 1}
    for text in alike:
        places = [place for place, other in enumerate(short) if other == text]
        whole = [visible(names[place]) for place in places]
        same = next((at for at, letters in enumerate(zip(*whole, strict=False)) if len({*letters}) > 1), 0)
        # from where they differ on, with what stands before as far as there is room
        start = max(0, min(same - (length - 2) // 2, min(len(name) for name in whole) - (length - 1)))
        for place, name in zip(places, whole, strict=True):
            rest = name[start:]
            short[place] = f"…{rest}" if len(rest) < length else f"…{rest[: length - 2]}…"
    return short


def log_scale(axis: Axis, formatter: Formatter | None = None) -> None:
    """Make an axis logarithmic, with plain numbers: the style writes text as it is, TeX's powers too.

    Args:
        axis: of axes that are drawn already.
        formatter: of the numbers; by default as ``%g``.
    """
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_formatter(formatter or FuncFormatter(lambda value, _place: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())

"""Bundles against data sets as a table of numbers whose ground grows darker with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mesoscope_train.evaluation.figures.parts import head, hyphen_broken
from mesoscope_train.evaluation.metrics_schema import Metric
from mesoscope_train.evaluation.wording import digits, edge
from mesoscope_train.figures import FAKE, INK, QUIET, REAL, house_style, new_figure
from mesoscope_train.figures.style import SMALL

ACROSS = 8
"""Data sets in a row of the table; more go below."""
_CELL = 0.34
_HEAD = 0.42
"""Inches: height of a line, and of the names over the columns."""
_DARKEST = 0.42


@dataclass(frozen=True, slots=True)
class Cell:
    """One bundle on one data set.

    Attributes:
        metric: None where it cannot be computed.
        sign: behind the number, as † for data of which the bundle saw other parts; may be empty.
    """

    metric: Metric | None
    sign: str = ""


@house_style()
def draw_heat(
    cells: Sequence[Sequence[Cell]],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    title: str,
    note: str,
    chance: float | None,
) -> Figure:
    """The table; cells whose interval holds chance, or worse, have a dashed border.

    Args:
        cells: one list a row.
        rows: names of bundles.
        columns: names of data sets.
        title: of the figure.
        note: what the numbers are.
        chance: what a coin would get; None where that differs from set to set. A ground is white at 0.5 and darkest
            at 1.
    """
    blocks = [range(start, min(start + ACROSS, len(columns))) for start in range(0, len(columns), ACROSS)]
    figure = new_figure("page", height=len(blocks) * (_HEAD + _CELL * len(rows)) + 0.05)
    head(figure, title, note)
    every = figure.subplots(len(blocks), 1, squeeze=False).ravel()
    for axes, block in zip(every, blocks, strict=True):
        for y, row in enumerate(cells):
            for x, place in enumerate(block):
                _draw(axes, (x, y), row[place], chance)
        width = ACROSS if len(blocks) > 1 else max(len(block), 4)
        axes.set(xlim=(-0.5, width - 0.5), ylim=(len(rows) - 0.5, -0.5))
        axes.set_xticks(range(len(block)), [hyphen_broken(columns[place], 13) for place in block])
        axes.set_yticks(range(len(rows)), rows)
        axes.xaxis.tick_top()
        axes.tick_params(length=0, labelsize=SMALL)
        axes.spines[:].set_visible(False)
    return figure


def _draw(axes: Axes, at: tuple[int, int], cell: Cell, chance: float | None) -> None:
    x, y = at
    corner, metric = (x - 0.48, y - 0.46), cell.metric
    if metric is None:
        axes.annotate(f"–{cell.sign}", (x, y), ha="center", va="center", color=QUIET)
        return
    height = min(1.0, max(0.0, 2 * metric.value - 1))
    axes.add_patch(Rectangle(corner, 0.96, 0.92, facecolor=REAL, alpha=_DARKEST * height))
    if chance is not None and (metric.value if metric.low is None else metric.low) <= chance:
        axes.add_patch(
            Rectangle(corner, 0.96, 0.92, facecolor="none", edgecolor=FAKE, linewidth=1.4, linestyle=(0, (2.5, 1.5)))
        )
    axes.annotate(
        f"{digits(metric.value)}{cell.sign}", (x, y - 0.14), ha="center", va="center", color=INK, fontweight="bold"
    )
    if metric.low is not None and metric.high is not None:
        text = f"{edge(metric.low)}–{edge(metric.high)}"
        axes.annotate(text, (x, y + 0.22), ha="center", va="center", color=INK, fontsize=5.8)

"""Histograms of the classes over each other, a panel a measurement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from mesoscope_train.data.explore.histograms import Histogram
from mesoscope_train.figures import LABEL_COLOURS, QUIET, house_style, name_classes, new_figure
from mesoscope_train.figures.style import SMALL

_PANEL = 1.75
"""Inches: height."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One measurement to draw.

    Attributes:
        title: what was measured.
        unit: stands at the axis.
        histogram: of the classes.
    """

    title: str
    unit: str
    histogram: Histogram


@house_style()
def draw_distributions(panels: Sequence[Panel], *, across: int = 2) -> Figure:
    """Histograms as shares of each class, so that classes of different size can be compared.

    Args:
        panels: at least one; a single one is drawn at a column's width.
        across: panels in a row.
    """
    across = min(across, len(panels))
    down = math.ceil(len(panels) / across)
    figure = new_figure("column" if len(panels) == 1 else "page", height=0.2 + _PANEL * down)
    labels = [label for label in LABEL_COLOURS if any(label in panel.histogram.shares for panel in panels)]
    most = {label: max(panel.histogram.counts.get(label, 0) for panel in panels) for label in labels}
    name_classes(figure, {label: f"{label} {count:,}" for label, count in most.items()})
    every = figure.subplots(down, across, squeeze=False).ravel()
    for axes, panel in zip(every, panels, strict=False):
        _draw(axes, panel)
    for axes in every[len(panels) :]:
        axes.set_visible(False)
    return figure


def _draw(axes: Axes, panel: Panel) -> None:
    histogram = panel.histogram
    # the line drawn first is the broader one, so that both can be seen where they agree
    for (label, shares), line in zip(histogram.shares.items(), (1.8, 0.9), strict=False):
        axes.stairs(shares, histogram.edges, fill=True, color=LABEL_COLOURS[label], alpha=0.16)
        axes.stairs(shares, histogram.edges, color=LABEL_COLOURS[label], linewidth=line)
    axes.set_title(panel.title)
    axes.set_xlabel(panel.unit)
    axes.set_ylim(0, 1.12 * max(float(shares.max()) for shares in histogram.shares.values()))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))
    axes.yaxis.set_major_locator(MaxNLocator(3))
    axes.tick_params(axis="y", labelsize=SMALL)
    _scale(axes, histogram)
    _medians(axes, histogram)


def _scale(axes: Axes, histogram: Histogram) -> None:
    low, high = float(histogram.edges[0]), float(histogram.edges[-1])
    if histogram.logarithmic:
        axes.set_xscale("log")
        # marks at 1, 2, 5 over one or two powers of ten, at the powers alone over more
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 300 else (1,)))
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=histogram.whole))
    axes.set_xlim(low, high)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _signed(f"{value:,.6g}")))


def _medians(axes: Axes, histogram: Histogram) -> None:
    """A mark at each median, and the values above the panel's right end."""
    before: tuple[Any, tuple[float, float], str] = ("axes fraction", (1.0, 1.0), "bottom")
    for label, median in reversed(histogram.medians.items()):
        axes.plot([median], [0], marker="^", markersize=4, color=LABEL_COLOURS[label], clip_on=False, zorder=5)
        before = _leftwards(axes, before, rounded(median), LABEL_COLOURS[label])
    _leftwards(axes, before, "median", QUIET)


def _leftwards(
    axes: Axes, before: tuple[Any, tuple[float, float], str], text: str, colour: str
) -> tuple[Any, tuple[float, float], str]:
    """Text that ends where another begins."""
    beside, at, _ = before
    first = isinstance(beside, str)
    written = axes.annotate(
        text, at, (0, 5) if first else (-4, 0), xycoords=beside, textcoords="offset points", color=colour,
        fontsize=SMALL, ha="right", va="bottom",
    )  # fmt: skip
    return written, (0.0, 0.0), "bottom"


def rounded(value: float) -> str:
    """A number with three digits, or all those before its point."""
    return _signed(f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}")


def _signed(number: str) -> str:
    """With a minus sign in place of the hyphen."""
    return number.replace("-", "−")

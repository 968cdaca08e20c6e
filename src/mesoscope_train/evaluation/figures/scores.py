"""Histograms of scores per class, and how far a score is a probability."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from mesoscope_train.evaluation.figures.parts import head
from mesoscope_train.evaluation.metrics_schema import Histogram, ReliabilityBins
from mesoscope_train.figures import FAKE, GRID, INK, LABEL_COLOURS, QUIET, house_style, new_figure
from mesoscope_train.figures.style import SMALL

ACROSS = 3
_EDGES = [0.0, 0.5, 1.0]


@dataclass(frozen=True, slots=True)
class ScorePanel:
    """One bundle's scores.

    Attributes:
        name: of the bundle.
        histogram: of probabilities.
        threshold, lower: from the first on it says fake, below the second real.
    """

    name: str
    histogram: Histogram
    threshold: float
    lower: float


@dataclass(frozen=True, slots=True)
class ReliabilityPanel:
    """One bundle's probabilities against what was true.

    Attributes:
        name: of the bundle, with its calibration error.
        bins: as measured.
    """

    name: str
    bins: ReliabilityBins


@house_style()
def draw_scores(panels: Sequence[ScorePanel], *, title: str, note: str) -> Figure:
    """Reals upwards, fakes downwards, as shares of their class: classes of different size can be compared.

    Args:
        panels: at least one; three in a row.
        title: of the figure.
        note: what was counted.
    """
    across = min(ACROSS, len(panels))
    down = math.ceil(len(panels) / across)
    figure = new_figure("column" if across == 1 else "page", height=1.6 * down)
    head(figure, title, note)
    every = figure.subplots(down, across, squeeze=False).ravel()
    for axes, panel in zip(every, panels, strict=False):
        _draw_scores(axes, panel)
    for axes in every[len(panels) :]:
        axes.set_visible(False)
    for axes in every[::across]:
        axes.set_ylabel("share of the class")
    return figure


def _draw_scores(axes: Axes, panel: ScorePanel) -> None:
    edges = np.asarray(panel.histogram.edges)
    largest, late = 0.0, panel.threshold > 0.6
    for label, sign in (("real", 1.0), ("fake", -1.0)):
        counts = np.asarray(getattr(panel.histogram, label), np.float64)
        if not counts.sum():
            continue
        shares = counts / counts.sum()
        largest = max(largest, float(shares.max()))
        axes.stairs(sign * shares, edges, fill=True, color=LABEL_COLOURS[label], alpha=0.5)
        axes.stairs(sign * shares, edges, color=LABEL_COLOURS[label], linewidth=0.8)
        axes.annotate(
            label, (0 if late else 1, 1 if label == "real" else 0), (2 if late else -1, 0), xycoords="axes fraction",
            textcoords="offset points", color=LABEL_COLOURS[label], fontsize=SMALL, ha="left" if late else "right",
            va="top" if label == "real" else "bottom",
        )  # fmt: skip
    axes.axhline(0, color=INK, linewidth=0.5)
    if panel.lower < panel.threshold:
        axes.axvspan(panel.lower, panel.threshold, color=QUIET, alpha=0.16, zorder=0)
        axes.annotate(
            "inconclusive", ((panel.lower + panel.threshold) / 2, 0.02), xycoords=("data", "axes fraction"),
            fontsize=5.5, color=QUIET, ha="center", va="bottom",
        )  # fmt: skip
    axes.axvline(panel.threshold, color=INK, linewidth=0.8, linestyle=(0, (4, 2)))
    axes.annotate(
        f"fake from {panel.threshold:.3g}", (panel.threshold, 1), (-2 if late else 2, 0),
        xycoords=("data", "axes fraction"), textcoords="offset points", fontsize=SMALL, va="top",
        ha="right" if late else "left",
    )  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(-1.25 * largest, 1.25 * largest), xlabel="score (0 real … 1 fake)")
    axes.xaxis.set_major_locator(FixedLocator(_EDGES))
    axes.yaxis.set_major_locator(MaxNLocator(4, symmetric=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _place: f"{100 * abs(share):.3g} %"))
    axes.tick_params(labelsize=SMALL)
    axes.set_title(panel.name, fontweight="normal")


@house_style()
def draw_reliability(panels: Sequence[ReliabilityPanel], *, title: str, note: str) -> Figure:
    """What was true against what was said; under it how many pictures each point stands for.

    Args:
        panels: at least one; three in a row.
        title: of the figure.
        note: what was counted, and what the bars are.
    """
    across = min(ACROSS, len(panels))
    down = math.ceil(len(panels) / across)
    figure = new_figure("column" if across == 1 else "page", height=2.45 * down)
    head(figure, title, note)
    parts = figure.subplots(2 * down, across, squeeze=False, gridspec_kw={"height_ratios": [4, 1] * down})
    for place in range(down * across):
        row, column = divmod(place, across)
        upper, lower = parts[2 * row][column], parts[2 * row + 1][column]
        if place < len(panels):
            _draw_reliability(upper, lower, panels[place])
        else:
            upper.set_visible(False)
            lower.set_visible(False)
        if column == 0:
            upper.set_ylabel("of these, were fake")
            lower.set_ylabel("n", rotation=0, ha="right", va="center")
    return figure


def _draw_reliability(upper: Axes, lower: Axes, panel: ReliabilityPanel) -> None:
    bins = panel.bins
    upper.plot([0, 1], [0, 1], color=QUIET, linewidth=0.7, linestyle=(0, (1, 2)))
    if bins.low:
        upper.vlines(bins.mean_probability, bins.low, bins.high, color=INK, linewidth=0.9)
    upper.plot(bins.mean_probability, bins.share_fake, marker="o", markersize=3.2, color=INK, linewidth=0.7)
    # the distance that counts is the vertical one
    upper.vlines(bins.mean_probability, bins.mean_probability, bins.share_fake, color=FAKE, linewidth=3, alpha=0.35)
    upper.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    upper.set_xticks(_EDGES, [])
    upper.set_title(panel.name, fontweight="normal")
    middles = [(low + high) / 2 for low, high in zip(bins.lower, bins.upper, strict=True)]
    widths = [high - low for low, high in zip(bins.lower, bins.upper, strict=True)]
    lower.bar(middles, bins.n, width=widths, color=GRID, edgecolor=QUIET, linewidth=0.4)
    lower.set(xlim=(-0.02, 1.02), xlabel="said: probability of fake")
    lower.set_xticks(_EDGES)
    lower.set_yticks([max(bins.n)], [f"{max(bins.n):,}"])
    for axes in (upper, lower):
        axes.tick_params(labelsize=SMALL)
    for axis in (upper.yaxis, lower.xaxis):
        axis.set_major_formatter(FuncFormatter(lambda share, _place: f"{100 * share:.0f} %"))

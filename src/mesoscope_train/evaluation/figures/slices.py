"""Parts of a data set beside each other: one line a part, one mark a bundle, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mesoscope_train.evaluation.figures.parts import KEY_LINE, head, look, names_below, reference, share_axis
from mesoscope_train.evaluation.metrics_schema import Metric
from mesoscope_train.figures import GRID, WARNING, house_style, new_figure
from mesoscope_train.figures.style import SMALL

_STEP = 0.115
"""Inches a mark."""


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the figure.

    Attributes:
        name: what part, with how many.
        values: panel's title to one number a bundle, in the bundles' order; None where it is absent.
        differs: panel's title to the places of bundles whose gap to the rest is significant.
    """

    name: str
    values: dict[str, list[Metric | None]]
    differs: dict[str, set[int]] = field(default_factory=dict)


@house_style()
def draw_slices(
    parts: Sequence[Part],
    bundles: Sequence[str],
    panels: Sequence[str],
    *,
    title: str,
    note: str,
    bound: float | None = None,
) -> Figure:
    """Marks with intervals, a panel a metric.

    Args:
        parts: the whole data set first, then its slices.
        bundles: names, in the order of each part's values.
        panels: titles, in order; each is a key of every part's values.
        title: of the figure.
        note: what was counted, and what the intervals are.
        bound: share that the first panel marks, as the false alarms that were asked for.
    """
    each = _STEP * len(bundles) + 0.1
    figure = new_figure("page", height=0.5 + each * len(parts) + KEY_LINE * len(bundles))
    head(figure, title, note)
    every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, panel in zip(every, panels, strict=True):
        _draw(axes, parts, panel, _STEP / each)
    if bound is not None:
        reference(every[0], x=bound)
    every[0].set_yticks(range(len(parts)), [part.name for part in parts])
    every[0].set_ylim(len(parts) - 0.5, -0.5)
    names_below(figure, bundles)
    return figure


def _draw(axes: Axes, parts: Sequence[Part], panel: str, step: float) -> None:
    edges = [0.0]
    for y, part in enumerate(parts):
        if y:
            axes.axhline(y - 0.5, color=GRID, linewidth=0.4)
        values = part.values[panel]
        for place, value in enumerate(values):
            at = y + (place - (len(values) - 1) / 2) * step
            if value is not None:
                _mark(axes, value, at, place, ringed=place in part.differs.get(panel, ()))
                edges.append(value.value if value.high is None else value.high)
    share_axis(axes, "x", panel, high=min(1.0, max(0.05, 1.05 * max(edges))))
    axes.tick_params(axis="y", length=0, labelsize=SMALL)
    axes.grid(True, axis="x")
    axes.spines["left"].set_visible(False)


def _mark(axes: Axes, metric: Metric, at: float, place: int, *, ringed: bool) -> None:
    how = look(place)
    if metric.low is not None and metric.high is not None:
        axes.plot([metric.low, metric.high], [at, at], color=how.color, linewidth=1, linestyle="-")
    axes.plot([metric.value], [at], marker=how.marker, color=how.color, markersize=3.8, linestyle="")
    if ringed:
        axes.plot(
            [metric.value], [at], marker="o", markersize=7.5, markerfacecolor="none", markeredgecolor=WARNING,
            markeredgewidth=1.1, linestyle="",
        )  # fmt: skip

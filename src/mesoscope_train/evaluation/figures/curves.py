"""ROC, precision against recall, and risk against coverage: one line a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mesoscope_train.evaluation.figures.parts import (
    KEY_LINE,
    Look,
    head,
    look,
    names_below,
    reference,
    share_axis,
)
from mesoscope_train.figures import INK, QUIET, house_style, new_figure
from mesoscope_train.figures.style import SMALL

LOW_RATES = 0.1
"""The right panel of a ROC ends at this share of false alarms."""
_LEAST_RISK = 0.05
"""A smaller risk than this does not fill the panel, so that noise looks like noise."""


@dataclass(frozen=True, slots=True)
class Line:
    """One bundle's curve.

    Attributes:
        name: of the bundle, with its number, as the legend says it.
        x, y: points, x rising.
        low, high: the interval of y at each x; empty where there is none.
        point: x and y at the threshold or band in use; None where there is none.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    point: tuple[float, float] | None = None


@house_style()
def draw_roc(lines: Sequence[Line], *, title: str, note: str) -> Figure:
    """Fakes found against false alarms, over the whole range and where false alarms are few.

    Args:
        lines: at least one; x = false-positive rate, y = true-positive rate.
        title: of the figure.
        note: what was counted, and what the bands are.
    """
    figure = new_figure("page", height=2.75 + KEY_LINE * len(lines))
    head(figure, title, note)
    whole, low = figure.subplots(1, 2)
    for axes, end in ((whole, 1.0), (low, LOW_RATES)):
        for place, line in enumerate(lines):
            _draw(axes, line, look(place))
        axes.plot([0, end], [0, end], color=QUIET, linewidth=0.7, linestyle=(0, (1, 2)), zorder=0)
        share_axis(axes, "x", "reals called fake (false-positive rate)", high=end)
        share_axis(axes, "y", "fakes found (true-positive rate)")
        axes.grid(True)
    whole.set_title("all thresholds")
    low.set_title(f"few false alarms: up to {100 * LOW_RATES:g} %")
    whole.annotate("chance", (0.8, 0.77), color=QUIET, fontsize=SMALL, ha="left", va="top")
    names_below(figure, [line.name for line in lines])
    return figure


@house_style()
def draw_precision_recall(lines: Sequence[Line], *, title: str, note: str, base_rate: float) -> Figure:
    """How many of the files called fake are fake, against how many fakes are found.

    Args:
        lines: at least one; x = recall, y = precision.
        title: of the figure.
        note: what was counted.
        base_rate: share of fakes among what was counted: the precision of calling everything fake.
    """
    figure = new_figure("column", height=2.5 + KEY_LINE * len(lines))
    head(figure, title, note)
    axes = figure.add_subplot()
    for place, line in enumerate(lines):
        _draw(axes, line, look(place))
    reference(axes, y=base_rate)
    axes.annotate(
        "everything called fake", (0.01, base_rate), (0, -2), textcoords="offset points", color=QUIET, fontsize=SMALL,
        va="top",
    )  # fmt: skip
    share_axis(axes, "x", "fakes found (recall)")
    share_axis(axes, "y", "fakes among those called fake (precision)")
    axes.grid(True)
    names_below(figure, [line.name for line in lines])
    return figure


@house_style()
def draw_risk_coverage(lines: Sequence[Line], *, title: str, note: str) -> Figure:
    """Share of wrong answers if only the surest part is answered.

    Args:
        lines: at least one; x = coverage, y = risk; `point` where the inconclusive band puts the bundle.
        title: of the figure.
        note: what was counted.
    """
    figure = new_figure("column", height=2.5 + KEY_LINE * len(lines))
    head(figure, title, note)
    axes = figure.add_subplot()
    for place, line in enumerate(lines):
        _draw(axes, line, look(place))
    share_axis(axes, "x", "answered, surest first (coverage)")
    share_axis(axes, "y", "wrong among the answered (risk)", high=min(1.0, 1.05 * _highest(lines)))
    axes.grid(True)
    names_below(figure, [line.name for line in lines])
    return figure


def _highest(lines: Sequence[Line]) -> float:
    """The largest risk, the first tenth left out: of few answers any share is possible."""
    settled = [y for line in lines for x, y in zip(line.x, line.y, strict=True) if x >= 0.1]
    return max([_LEAST_RISK, *settled])


def _draw(axes: Axes, line: Line, how: Look) -> None:
    if line.low:
        axes.fill_between(line.x, line.low, line.high, color=how.color, alpha=0.14, linewidth=0)
    axes.plot(line.x, line.y, **how.line)
    if line.point is not None:
        axes.plot(
            *line.point, marker=how.marker, markersize=5, color=how.color, markeredgecolor=INK, markeredgewidth=0.6,
            linestyle="", zorder=4,
        )  # fmt: skip

"""What degradation does, at one fixed threshold: tiers and sweeps side by side, one row a metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mesoscope_train.evaluation.figures.parts import KEY_LINE, head, look, names_below, reference, share_axis
from mesoscope_train.evaluation.metrics_schema import Metric
from mesoscope_train.figures import house_style, new_figure
from mesoscope_train.figures.style import SMALL

_ROW = 1.3
"""Inches a row of panels."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """One column of panels.

    Attributes:
        title: what is done to the pictures.
        unit: of the levels.
        levels: as they stand at the axis, mildest first.
        values: row's title to one list a bundle (one number a level, None where absent).
    """

    title: str
    unit: str
    levels: list[str]
    values: dict[str, list[list[Metric | None]]]


@house_style()
def draw_degradation(
    sweeps: Sequence[Sweep], bundles: Sequence[str], rows: Sequence[str], *, title: str, note: str
) -> Figure:
    """Curves over the degree of degradation.

    Args:
        sweeps: at least one.
        bundles: names, in the order of the values.
        rows: titles; each is a key of every sweep's values.
        title: of the figure.
        note: what was counted, and that the threshold stays.
    """
    figure = new_figure("page", height=0.25 + _ROW * len(rows) + KEY_LINE * len(bundles))
    head(figure, title, note)
    grid = figure.subplots(
        len(rows), len(sweeps), sharey="row", squeeze=False,
        gridspec_kw={"width_ratios": [max(3, len(sweep.levels)) for sweep in sweeps]},
    )  # fmt: skip
    for row, name in enumerate(rows):
        low = 0.4 if name == "AUC" and _lowest(sweeps, name) >= 0.4 else 0.0
        for column, sweep in enumerate(sweeps):
            axes = grid[row][column]
            _draw(axes, sweep, name)
            share_axis(axes, "y", name if column == 0 else "", low=low)
            if name == "AUC":
                axes.yaxis.set_major_formatter("{x:.1f}")
                reference(axes, y=0.5)
            axes.grid(True, axis="y")
            axes.set_xticks(range(len(sweep.levels)), sweep.levels if row == len(rows) - 1 else [])
            axes.tick_params(axis="x", labelsize=5.5, rotation=50 if max(map(len, sweep.levels)) > 5 else 0)
        grid[row][0].tick_params(axis="y", labelsize=SMALL)
    for column, sweep in enumerate(sweeps):
        grid[0][column].set_title(sweep.title)
        grid[-1][column].set_xlabel(sweep.unit, fontsize=SMALL)
    names_below(figure, bundles)
    return figure


def _lowest(sweeps: Sequence[Sweep], row: str) -> float:
    every = [metric for sweep in sweeps for values in sweep.values[row] for metric in values if metric is not None]
    return min((metric.value if metric.low is None else metric.low for metric in every), default=1.0)


def _draw(axes: Axes, sweep: Sweep, row: str) -> None:
    for place, values in enumerate(sweep.values[row]):
        how = look(place)
        there = [(x, metric) for x, metric in enumerate(values) if metric is not None]
        xs = [x for x, _ in there]
        banded = [(x, metric) for x, metric in there if metric.low is not None]
        axes.fill_between(
            [x for x, _ in banded], [metric.low or 0.0 for _, metric in banded],
            [metric.high or 0.0 for _, metric in banded], color=how.color, alpha=0.14, linewidth=0,
        )  # fmt: skip
        axes.plot(xs, [metric.value for _, metric in there], marker=how.marker, markersize=3, **how.line)
    axes.set_xlim(-0.35, len(sweep.levels) - 0.65)

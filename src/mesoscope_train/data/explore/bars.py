"""Horizontal bars of rows by value, one bar a class, with the numbers at their ends."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mesoscope_train.data.explore.tallies import Tally
from mesoscope_train.figures import (
    LABEL_COLOURS,
    QUIET,
    Width,
    house_style,
    name_classes,
    new_figure,
    shortened_apart,
)
from mesoscope_train.figures.style import SMALL

_BAR = 0.125
"""Inches: thickness of a bar and of the room its number needs."""
_BETWEEN, _AROUND = 0.09, 0.32
NAME_LENGTH: Mapping[Width, int] = {"column": 22, "page": 40}
"""Characters of a name that leave room for bars; longer ones lose their middle."""


@house_style()
def draw_bars(panels: Mapping[str, Tally], *, width: Width = "page", totals: bool = True) -> Figure:
    """Bars of one tally, or of several side by side that share values and scale.

    Args:
        panels: title to tally, all of the same values; an empty title is left out.
        width: of the figure; a panel needs a third of a page.
        totals: whether the numbers of a class add up to something that is worth saying.
    """
    tallies = [*panels.values()]
    labels = [label for label in LABEL_COLOURS if any(label in tally.counts for tally in tallies)]
    step = _BAR * len(labels) + _BETWEEN
    titled = any(panels)
    figure = new_figure(width, height=_AROUND + 0.2 * titled + step * len(tallies[0].values))
    sums = {label: sum(tally.total(label) for tally in tallies) for label in labels}
    name_classes(figure, {label: f"{label} {sums[label]:,}" if totals else label for label in labels})
    every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    largest = max(1, *(tally.largest() for tally in tallies))
    for axes, (title, tally) in zip(every, panels.items(), strict=True):
        _draw(axes, tally, labels, _BAR / step)
        axes.set_title(title)
        axes.set_xlim(0, largest * (1.14 + 0.12 * len(panels)))
    _name(every[0], tallies[0], NAME_LENGTH[width] if len(panels) == 1 else NAME_LENGTH["column"])
    return figure


def _draw(axes: Axes, tally: Tally, labels: list[str], thickness: float) -> None:
    places = np.arange(len(tally.values))
    for place, label in enumerate(labels):
        counts = tally.counts.get(label, (0,) * len(places))
        at = places + (place - (len(labels) - 1) / 2) * thickness
        axes.barh(at, counts, height=0.84 * thickness, color=LABEL_COLOURS[label])
        for y, count in zip(at, counts, strict=True):
            axes.annotate(
                f"{count:,}", (count, y), (2.5, -0.4), textcoords="offset points", va="center", fontsize=SMALL,
                color=LABEL_COLOURS[label] if count else QUIET,
            )  # fmt: skip
    axes.xaxis.set_visible(False)
    axes.spines["bottom"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _name(axes: Axes, tally: Tally, length: int) -> None:
    axes.set_yticks(range(len(tally.values)), shortened_apart(tally.names, length))
    axes.set_ylim(len(tally.values) - 0.5, -0.5)

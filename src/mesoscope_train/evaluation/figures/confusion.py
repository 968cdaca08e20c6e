"""Confusion matrices: what was said of reals and of fakes, with those that got no answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mesoscope_train.evaluation.figures.parts import head
from mesoscope_train.figures import FAKE, INK, LABEL_COLOURS, QUIET, house_style, new_figure
from mesoscope_train.figures.style import SMALL

ACROSS = 3
_PANEL = 1.5
"""Inches: height of a panel with its name."""
_DARKEST = 0.34
"""Opacity of a cell that holds a whole row: text on it stays readable."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """One bundle's answers.

    Attributes:
        name: of the bundle.
        cells: label to (called real, called fake, no answer).
        inconclusive: label to how many of the called real and called fake lie inside the band.
    """

    name: str
    cells: dict[str, tuple[int, int, int]]
    inconclusive: dict[str, tuple[int, int]]


@house_style()
def draw_confusions(matrices: Sequence[Matrix], *, title: str, note: str) -> Figure:
    """One panel a bundle, three in a row; numbers are counts, with the share of their row.

    Args:
        matrices: at least one.
        title: of the figure.
        note: what was counted.
    """
    down = math.ceil(len(matrices) / ACROSS)
    wide = len(matrices) > 1
    figure = new_figure("page" if wide else "column", height=_PANEL * down)
    head(figure, title, note)
    every = figure.subplots(down, ACROSS if wide else 1, squeeze=False).ravel()
    for axes, matrix in zip(every, matrices, strict=False):
        _draw(axes, matrix)
    for axes in every[len(matrices) :]:
        axes.set_visible(False)
    return figure


def _draw(axes: Axes, matrix: Matrix) -> None:
    labels = [label for label in LABEL_COLOURS if sum(matrix.cells[label])]
    lost = any(matrix.cells[label][2] for label in labels)
    columns = ("called real", "called fake", "no answer")[: 3 if lost else 2]
    for y, label in enumerate(labels):
        total = sum(matrix.cells[label])
        for x in range(len(columns)):
            wrong = x < 2 and columns[x] != f"called {label}"
            _cell(axes, (x, y), matrix.cells[label][x], total, wrong=wrong)
            inside = matrix.inconclusive[label][x] if x < 2 else 0
            if inside:
                axes.annotate(f"{inside:,} in band", (x, y + 0.34), ha="center", va="center", fontsize=5.5)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(labels) - 0.5, -0.5))
    axes.set_xticks(range(len(columns)), columns)
    axes.set_yticks(range(len(labels)), [f"{label}\n{sum(matrix.cells[label]):,}" for label in labels])
    for tick, label in zip(axes.get_yticklabels(), labels, strict=True):
        tick.set_color(LABEL_COLOURS[label])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title(matrix.name, fontweight="normal")


def _cell(axes: Axes, at: tuple[int, int], count: int, total: int, *, wrong: bool) -> None:
    x, y = at
    share = count / total
    corner = (x - 0.48, y - 0.47)
    axes.add_patch(Rectangle(corner, 0.96, 0.94, facecolor=FAKE if wrong else QUIET, alpha=_DARKEST * share))
    # wrong answers have a border too: hue alone would be lost in grey
    edge, width = (FAKE, 1.0) if wrong else (QUIET, 0.4)
    axes.add_patch(Rectangle(corner, 0.96, 0.94, facecolor="none", edgecolor=edge, linewidth=width))
    axes.annotate(f"{count:,}", (x, y - 0.12), ha="center", va="center", color=INK, fontweight="bold")
    axes.annotate(f"{100 * share:.1f} %", (x, y + 0.14), ha="center", va="center", color=INK, fontsize=SMALL)

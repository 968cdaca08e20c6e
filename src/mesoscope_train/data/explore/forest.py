"""Shortcuts as a forest plot: one line a family, its AUC with its interval, and the bound."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mesoscope_train.data.audit.findings import Shortcut
from mesoscope_train.figures import INK, QUIET, WARNING, house_style, new_figure, shortened
from mesoscope_train.figures.style import SMALL

_LINE = 0.19
"""Inches a family."""


@house_style()
def draw_forest(shortcuts: Sequence[Shortcut], bound: float) -> Figure:
    """How well each family of trivial measurements tells the label.

    Args:
        shortcuts: at least one, in the order of the lines.
        bound: AUC above which a shortcut is a warning.
    """
    figure = new_figure("page", height=0.62 + _LINE * len(shortcuts))
    axes = figure.add_subplot()
    for y, shortcut in enumerate(shortcuts):
        _draw(axes, y, shortcut)
    low = min(0.45, *(shortcut.low for shortcut in shortcuts))
    axes.set_xlim(low - 0.01, 1.005)
    axes.set_ylim(len(shortcuts) - 0.4, -0.6)
    axes.set_yticks(range(len(shortcuts)), [shortened(family_name(shortcut.family)) for shortcut in shortcuts])
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("AUC of these measurements alone (0.5 = they tell nothing, 1 = they tell everything)")
    axes.axvline(0.5, color=QUIET, linewidth=0.6, zorder=0)
    axes.axvspan(bound, 1.005, color=WARNING, alpha=0.1, zorder=0)
    axes.axvline(bound, color=WARNING, linewidth=0.8, linestyle=(0, (4, 2)), zorder=0)
    _over(axes, 0.5, "chance", QUIET)
    _over(axes, bound, f"bound {bound:g}", WARNING)
    return figure


def family_name(family: str) -> str:
    """A family of measurements in words."""
    return family.replace("jpeg", "JPEG").replace("-", " ").replace("_", " ")


def interval(shortcut: Shortcut) -> str:
    """``0.96 (0.94 to 0.98)``."""
    return f"{shortcut.auc:.2f} ({shortcut.low:.2f} to {shortcut.high:.2f})"


def _draw(axes: Axes, y: int, shortcut: Shortcut) -> None:
    colour = WARNING if shortcut.above_bound else INK
    axes.plot([shortcut.low, shortcut.high], [y, y], color=colour, linewidth=1.3, linestyle="-")
    axes.plot(
        [shortcut.auc], [y], marker="D" if shortcut.above_bound else "o", color=colour, markersize=4.2, linestyle=""
    )
    axes.annotate(
        interval(shortcut), (1.0, y), (8, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
        va="center", color=colour, fontsize=SMALL, fontweight="bold" if shortcut.above_bound else "normal",
    )  # fmt: skip


def _over(axes: Axes, at: float, text: str, colour: str) -> None:
    axes.annotate(
        text, (at, 1.0), (0, 2), xycoords=("data", "axes fraction"), textcoords="offset points", ha="center",
        va="bottom", color=colour, fontsize=SMALL,
    )  # fmt: skip

"""What the evaluation's figures share: titles with what was counted, looks of lines, axes of shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter

from mesoscope_train.figures import QUIET, SERIES
from mesoscope_train.figures.style import SMALL

MARKERS = ("o", "s", "^", "D", "v", "P")
_DASHES: tuple[Any, ...] = ("-", (0, (4, 1.6)), (0, (6, 1.5, 1.2, 1.5)), (0, (1.2, 1.2)), (0, (8, 2)), (0, (2, 2)))
_STEPS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25)
_LINE = 0.14
"""Inches of a line of the title."""
KEY_LINE = 0.135
"""Inches of a line of the legend."""


@dataclass(frozen=True, slots=True)
class Look:
    """How one of several lines is told from the others: in colour, in grey, and by who sees few colours."""

    color: str
    marker: str
    linestyle: Any

    @property
    def line(self) -> dict[str, Any]:
        """For `Axes.plot`, without markers."""
        return {"color": self.color, "linestyle": self.linestyle}


def look(place: int) -> Look:
    """The look of the line at `place`, from 0; marks and dashes shift against colours, so that 36 stay different."""
    shifted = place + place // len(SERIES)
    return Look(SERIES[place % len(SERIES)], MARKERS[shifted % len(MARKERS)], _DASHES[shifted % len(_DASHES)])


def head(figure: Figure, title: str, note: str) -> float:
    """A bold title over the figure and, quiet, what was counted; the note is broken where it is too long.

    Args:
        figure: new; it grows by what the head needs.
        title: in one line.
        note: in as many as it needs.

    Returns:
        the inches that the head took.
    """
    width, height = figure.get_size_inches()
    lines = broken(note, round(width * 19.5))
    taken = _LINE * (1 + len(lines)) + 0.06
    height += taken
    figure.set_size_inches(width, height)
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0, 0, 1, 1 - taken / height))
    left, top = 0.04 / width, 1 - 0.03 / height
    figure.text(left, top, title, fontweight="bold", va="top", ha="left")
    for place, line in enumerate(lines, start=1):
        figure.text(left, top - place * _LINE / height, line, fontsize=SMALL, color=QUIET, va="top", ha="left")
    return taken


def broken(text: str, length: int) -> list[str]:
    """A text in lines of at most `length` characters, broken at spaces."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > length:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def hyphen_broken(name: str, length: int) -> str:
    """A name in lines of about `length` characters, broken after hyphens and underscores where there are any."""
    lines, rest = [], name
    while len(rest) > length:
        cut = max(rest.rfind(sign, 0, length) for sign in "-_ ") + 1
        cut = cut if cut > length // 3 else length
        lines.append(rest[:cut])
        rest = rest[cut:]
    return "\n".join([*lines, rest])


def share_axis(axes: Axes, which: str, label: str, *, low: float = 0.0, high: float = 1.0) -> None:
    """An axis of shares, written in per cent, with a little room at its ends."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    span = high - low
    (axes.set_xlim if which == "x" else axes.set_ylim)(low - 0.02 * span, high + 0.02 * span)
    step = next((step for step in _STEPS if span / step <= 5.01), 0.25)
    first = math.ceil(low / step - 1e-9) * step
    axis.set_major_locator(FixedLocator(np.arange(first, high + step / 10, step).tolist()))
    axis.set_major_formatter(FuncFormatter(lambda share, _place: percent(share)))
    axis.set_label_text(label)
    axis.set_tick_params(labelsize=SMALL)


def percent(share: float) -> str:
    """A share as ``12 %``, with a digit more where it is no whole number."""
    value = 100 * share
    return f"{value:.0f} %" if abs(value - round(value)) < 0.005 else f"{value:.1f} %"


def mark(how: Look) -> Line2D:
    """A legend's sample of a line."""
    return Line2D([], [], color=how.color, linestyle=how.linestyle, marker=how.marker, markersize=3.6)


def names_below(figure: Figure, names: Sequence[str], *, across: int = 1) -> None:
    """The lines' names under the panels, in the order of `look`."""
    figure.legend(
        handles=[mark(look(place)) for place in range(len(names))],
        labels=list(names),
        loc="outside lower left",
        ncols=across,
        handlelength=2.8,
        fontsize=SMALL,
        labelspacing=0.35,
    )


def reference(axes: Axes, *, x: float | None = None, y: float | None = None) -> None:
    """A quiet line for what a value is compared with."""
    style: dict[str, Any] = {"color": QUIET, "linewidth": 0.7, "linestyle": (0, (1, 2)), "zorder": 0}
    if x is not None:
        axes.axvline(x, **style)
    if y is not None:
        axes.axhline(y, **style)

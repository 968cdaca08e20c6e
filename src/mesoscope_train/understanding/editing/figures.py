"""The figures of editing evidence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mesoscope_train.figures import FAKE, INK, QUIET, REAL, SERIES, house_style, new_figure, shortened_apart
from mesoscope_train.understanding.editing.evidence import PARTS, Evidence
from mesoscope_train.understanding.intervals import Measured

_LOOKS = ((FAKE, "D", "part edited"), (SERIES[2], "s", "not edited, in other fakes"), (REAL, "o", "real faces"))


@house_style()
def draw_bundles(found: Sequence[tuple[str, Evidence]]) -> Figure:
    """The three answers of every bundle."""
    names = shortened_apart([name for name, _ in found], 30)
    panels = (
        ("against area", "mass over area (1: chance)", 1.0, [evidence.against_area for _, evidence in found]),
        ("against other fakes", "density more than unedited", 0.0, [e.against_unedited for _, e in found]),
        ("against real faces", "density more than real", 0.0, [evidence.against_real for _, evidence in found]),
    )
    figure = new_figure("page", height=0.75 + 0.26 * len(found))
    for axes, (title, words, chance, numbers) in zip(figure.subplots(1, 3, sharey=True), panels, strict=True):
        axes.axvline(chance, color=QUIET, linewidth=0.8, linestyle=":")
        for y, number in enumerate(numbers):
            _dot(axes, number, y, INK, "o")
        axes.set_title(title)
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.grid(axis="x")
        axes.set_xlabel(words)
    return figure


@house_style()
def draw_parts(found: Sequence[tuple[str, Evidence]]) -> Figure:
    """The density on every part where edited, where not, and in real faces; a panel a bundle."""
    columns = min(3, len(found))
    lines = -(-len(found) // columns)
    figure = new_figure("page", height=0.35 + 1.75 * lines)
    all_axes = figure.subplots(lines, columns, sharey=True, sharex=True, squeeze=False).ravel()
    for axes in all_axes[len(found) :]:
        axes.set_axis_off()
    titles = shortened_apart([name for name, _ in found], 26)
    for number, (axes, title, (_, evidence)) in enumerate(zip(all_axes, titles, found, strict=False)):
        axes.axvline(1, color=QUIET, linewidth=0.8, linestyle=":")
        for y, part in enumerate(PARTS):
            for shift, (colour, marker, _), measured in zip(
                (-0.22, 0.0, 0.22), _LOOKS, evidence.parts[part], strict=True
            ):
                _dot(axes, measured, y + shift, colour, marker)
        axes.set_title(title)
        axes.set_yticks(range(len(PARTS)), PARTS)
        axes.set_ylim(len(PARTS) - 0.5, -0.5)
        axes.grid(axis="x")
        if number >= len(found) - columns:
            axes.set_xlabel("density (1: chance)")
            axes.tick_params(labelbottom=True)
    handles = [
        all_axes[0].plot([], [], color=colour, marker=marker, markersize=3, linestyle="-")[0]
        for colour, marker, _ in _LOOKS
    ]
    figure.legend(
        handles, [words for *_, words in _LOOKS], loc="outside upper left", ncols=len(_LOOKS), handlelength=1.6
    )
    return figure


def _dot(axes: Axes, number: Measured, y: float, colour: str, marker: str) -> None:
    if not np.isfinite(number.value):
        return
    if np.isfinite(number.low):
        axes.plot((number.low, number.high), (y, y), color=colour, linestyle="-")
    axes.plot(number.value, y, marker, color=colour, markersize=3)

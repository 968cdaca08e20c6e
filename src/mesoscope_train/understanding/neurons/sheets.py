"""The sheets: kernels with what they do, and pictures that excite a unit most, each with name and numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mesoscope_train.figures import FAKE, INK, QUIET, REAL, house_style, new_figure
from mesoscope_train.figures.style import SMALL
from mesoscope_train.understanding.drawing import symmetric
from mesoscope_train.understanding.neurons.kernels import Kernel, chart
from mesoscope_train.understanding.neurons.maximise import Reached

BLOCKS = 2
"""Kernels beside each other."""
ROWS = 8
"""Rows of one figure of kernels."""
_ROW = 1.18
TILES = 4
"""Pictures beside each other."""


@house_style()
def draw_chart() -> Figure:
    """The test chart."""
    figure = new_figure("column", height=1.6)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0.02, 0.02, 1.5 / 3.35, 1.5 / 1.6))
    axes.imshow(chart().transpose(1, 2, 0), interpolation="nearest")
    _bare(axes)
    words = (
        "top left: rings, finer outwards",
        "top right: edges, dots, a line",
        "bottom left: red, green, blue,",
        "    yellow, cyan, magenta",
        "bottom right: an even ramp",
    )
    figure.text(1.62 / 3.35, 0.5, "\n".join(words), va="center", fontsize=SMALL)
    return figure


@house_style()
def draw_kernels(kernels: Sequence[Kernel]) -> Figure:
    """Kernels of one layer: the pattern (white adds, black takes away), the answer to the chart, the frequencies.

    Args:
        kernels: at most ``BLOCKS * ROWS``.
    """
    lines = -(-len(kernels) // BLOCKS)
    height = lines * _ROW + 0.05
    figure = new_figure("page", height=height)
    figure.set_layout_engine("none")
    for number, kernel in enumerate(kernels):
        line, block = divmod(number, BLOCKS)
        _kernel(figure, kernel, block * 3.5, height - (line + 1) * _ROW, height)
    return figure


def _kernel(figure: Figure, kernel: Kernel, left: float, bottom: float, height: float) -> None:
    side = 0.82
    places = [left + 0.04 + number * (side + 0.08) for number in range(3)]
    axes = [figure.add_axes((x / 6.9, (bottom + 0.04) / height, side / 6.9, side / height)) for x in places]
    if kernel.pattern.size > 1:
        top = symmetric(kernel.pattern)
        axes[0].imshow(kernel.pattern, cmap="gray", vmin=-top, vmax=top, interpolation="nearest")
    elif kernel.colours is not None:
        axes[0].imshow(_mix(kernel.colours), interpolation="nearest")
    reply = symmetric(kernel.response)
    axes[1].imshow(kernel.response, cmap="gray", vmin=-reply, vmax=reply, interpolation="nearest")
    if kernel.pattern.size > 1:
        axes[2].imshow(kernel.frequencies, cmap="viridis", vmin=0, interpolation="nearest")
    for one in axes:
        _bare(one)
    if kernel.colours is not None:
        _colour_bars(figure, kernel.colours, places[2] + side + 0.12, bottom + 0.04, height)
    source = "" if kernel.source is None else f" from {kernel.source}"
    figure.text(
        (left + 0.04) / 6.9,
        (bottom + 1.05) / height,
        f"{kernel.layer}, unit {kernel.unit}{source}",
        color=INK,
        weight="bold",
        fontsize=SMALL,
    )
    figure.text((left + 0.04) / 6.9, (bottom + 0.915) / height, _words(kernel), color=QUIET, fontsize=SMALL)


def _words(kernel: Kernel) -> str:
    what = "all zero" if kernel.likeness is None else kernel.likeness.words
    if kernel.colours is None or kernel.pattern.size == 1:
        return what
    return f"{what}; one pattern: {kernel.one_colour:.0%}"


def _mix(
    colours: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, int, int], np.dtype[np.float64]]:
    """Weights of red, green and blue as one colour on mid-grey."""
    return (0.5 + 0.5 * colours / symmetric(colours))[None, None]


def _colour_bars(
    figure: Figure, colours: np.ndarray[tuple[int], np.dtype[np.float64]], left: float, bottom: float, height: float
) -> None:
    """The weights of red, green and blue as bars up (adds) and down (takes away)."""
    axes = figure.add_axes((left / 6.9, bottom / height, 0.3 / 6.9, 0.82 / height))
    top = symmetric(colours)
    axes.bar(range(3), colours / top, color=("#d03030", "#2a9030", "#3050d0"), width=0.8)
    axes.axhline(0, color=QUIET, linewidth=0.5)
    axes.set_ylim(-1.05, 1.05)
    axes.set_axis_off()


@house_style()
def draw_filters(found: Sequence[Reached], over: str) -> Figure:
    """Pictures that excite filters most."""
    tiles = [
        (
            one,
            f"{one.goal.layer}, filter {one.goal.unit}",
            (f"{over} {_number(one.start)} → {_number(one.activation)}", f"network's logit {_number(one.logit)}"),
            INK,
        )
        for one in found
    ]
    return _sheet([("", tiles)])


@house_style()
def draw_neurons(found: Sequence[tuple[Reached, float]]) -> Figure:
    """Pictures that excite hidden neurons most, those that push towards fake before those that push towards real.

    Args:
        found: with the weight from the neuron to the logit (positive speaks for fake).
    """
    parts = []
    for title, sign, colour in (
        ("towards FAKE: the more these neurons fire, the higher the score", 1, FAKE),
        ("towards REAL: the more these neurons fire, the lower the score", -1, REAL),
    ):
        mine = sorted((pair for pair in found if np.sign(pair[1]) == sign), key=lambda pair: -abs(pair[1]))
        tiles = [
            (
                one,
                f"last hidden layer, neuron {one.goal.unit}",
                (
                    f"towards {'fake' if weight > 0 else 'real'}: weight {weight:+.3f}",
                    f"fires {_number(one.start)} → {_number(one.activation)}; logit {_number(one.logit)}",
                ),
                colour,
            )
            for one, weight in mine
        ]
        if tiles:
            parts.append((title, tiles))
    return _sheet(parts)


Tiles = Sequence[tuple[Reached, str, tuple[str, ...], str]]


def _sheet(parts: Sequence[tuple[str, Tiles]]) -> Figure:
    side, gap, margin = 1.58, 0.17, 0.03
    line, head = side + 0.55, 0.32
    height = sum(-(-len(tiles) // TILES) * line + (head if title else 0.05) for title, tiles in parts)
    figure = new_figure("page", height=height)
    figure.set_layout_engine("none")
    top = height
    for title, tiles in parts:
        if title:
            figure.text(margin / 6.9, (top - 0.2) / height, title, weight="bold", color=tiles[0][3])
        top -= head if title else 0.05
        for number, (one, name, words, colour) in enumerate(tiles):
            row, column = divmod(number, TILES)
            left, bottom = margin + column * (side + gap), top - row * line - side
            axes = figure.add_axes((left / 6.9, bottom / height, side / 6.9, side / height))
            axes.imshow(one.picture, interpolation="nearest")
            _bare(axes)
            for spine in axes.spines.values():
                spine.set_visible(True)
                spine.set_color(colour)
                spine.set_linewidth(1.0)
            below = "\n".join(words)
            figure.text(left / 6.9, (bottom - 0.13) / height, name, color=colour, fontsize=SMALL, weight="bold")
            figure.text(left / 6.9, (bottom - 0.17) / height, below, color=QUIET, fontsize=SMALL - 0.5, va="top")
        top -= -(-len(tiles) // TILES) * line
    return figure


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"


def _bare(axes: Axes) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)

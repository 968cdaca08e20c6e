"""Grids of small pictures with names and colour bars, and the colour scales of maps, in the house style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from textwrap import fill
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, ListedColormap, Normalize
from matplotlib.figure import Figure

from mesoscope.explain import colourise
from mesoscope_train.figures import INK, QUIET, house_style, new_figure
from mesoscope_train.figures.style import SMALL

Values = npt.NDArray[Any]
PAGE = 6.9
_NAMES_WIDTH = 0.95
"""Inches for the rows' names."""
_NAMES_LETTERS = 14
"""That fit into these."""


@cache
def signed() -> Colormap:
    """The product's own scale of maps, laid on white: blue speaks for real, vermilion for fake, white is zero."""
    rgba = colourise(np.linspace(-1, 1, 255, dtype=np.float32)[None], 1.0, 1.0)[0].astype(np.float64) / 255
    return ListedColormap(rgba[:, :3] * rgba[:, 3:] + 1 - rgba[:, 3:], name="mesoscope-signed").with_extremes(
        bad="#d9dde3"
    )


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """One small picture.

    Attributes:
        values: (h, w), or RGB (h, w, 3) of 0 to 1; NaN is grey.
        cmap: of (h, w) values; None for RGB.
        low, high: the range of the colours.
        note: under it.
    """

    values: Values
    cmap: Colormap | None = None
    low: float = 0.0
    high: float = 1.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A colour bar below the grid."""

    cmap: Colormap
    low: float
    high: float
    words: str


def symmetric(*arrays: Values) -> float:
    """The largest absolute value that is finite, never 0: where a signed scale saturates."""
    peak = max((float(np.nanmax(np.abs(array), initial=0.0)) for array in arrays), default=0.0)
    return peak or 1.0


@house_style()
def grid(
    rows: Sequence[tuple[str, Sequence[Tile | None]]],
    columns: Sequence[str],
    *,
    bars: Sequence[Bar] = (),
    largest: float = 1.25,
    title: str = "",
) -> Figure:
    """Rows of tiles.

    Args:
        rows: name, and a tile (or nothing) for each column.
        columns: their names.
        bars: colour bars, side by side below.
        largest: side of a tile in inches where there is room for it.
        title: above everything.
    """
    count = max(1, len(columns))
    side = min(largest, (PAGE - _NAMES_WIDTH) / count)
    notes = 0.16 if any(tile and tile.note for _, tiles in rows for tile in tiles) else 0.0
    top = (0.24 if any(columns) else 0.05) + (0.22 if title else 0.0)
    bottom = 0.52 if bars else 0.05
    height = top + len(rows) * (side + 0.05 + notes) + bottom
    figure = new_figure("page", height=height)
    figure.set_layout_engine("none")
    if title:
        figure.text(0.0, 1 - 0.02 / height, title, va="top", weight="bold", color=INK)
    for number, (name, tiles) in enumerate(rows):
        y = height - top - (number + 1) * (side + 0.05 + notes) + notes
        words = "\n".join(fill(line, _NAMES_LETTERS) for line in name.split("\n"))
        figure.text((_NAMES_WIDTH - 0.08) / PAGE, (y + side / 2) / height, words, ha="right", va="center", color=INK)
        for column, tile in enumerate(tiles):
            left = _NAMES_WIDTH + column * side
            axes = figure.add_axes((left / PAGE, y / height, (side - 0.05) / PAGE, (side - 0.05) / height))
            _draw(axes, tile)
            if number == 0 and columns[column]:
                axes.set_title(columns[column], loc="center", fontsize=SMALL, weight="normal", pad=3)
    for number, bar in enumerate(bars):
        room = (PAGE - _NAMES_WIDTH) / len(bars)
        left = _NAMES_WIDTH + number * room
        axes = figure.add_axes((left / PAGE, 0.33 / height, min(room - 0.35, 2.4) / PAGE, 0.09 / height))
        colours = ScalarMappable(Normalize(bar.low, bar.high), bar.cmap)
        figure.colorbar(colours, cax=axes, orientation="horizontal")
        axes.set_xlabel(bar.words, fontsize=SMALL, labelpad=1)
        middle = 0 if bar.low < 0 < bar.high else (bar.low + bar.high) / 2
        axes.set_xticks((bar.low, middle, bar.high), [f"{value:.2g}" for value in (bar.low, middle, bar.high)])
        axes.tick_params(labelsize=SMALL - 1)
    return figure


def _draw(axes: Axes, tile: Tile | None) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    if tile is None:
        axes.set_axis_off()
        return
    for spine in axes.spines.values():
        spine.set_visible(False)
    if tile.cmap is None:
        axes.imshow(np.clip(np.nan_to_num(tile.values, nan=0.85), 0, 1), interpolation="nearest")
    else:
        axes.imshow(tile.values, cmap=tile.cmap, vmin=tile.low, vmax=tile.high, interpolation="nearest")
    if tile.note:
        axes.set_xlabel(tile.note, fontsize=SMALL - 1, color=QUIET, labelpad=1.5)

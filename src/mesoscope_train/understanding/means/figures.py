"""The figures of the page of means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure
from scipy import stats

from mesoscope_train.figures import LABEL_COLOURS, QUIET, house_style, new_figure
from mesoscope_train.understanding.drawing import Bar, Tile, grid, signed, symmetric
from mesoscope_train.understanding.intervals import Measured
from mesoscope_train.understanding.means.gathering import Cell
from mesoscope_train.understanding.regions import FINE, REGIONS, coverage

Floats = npt.NDArray[np.float64]
FEWEST_GROUPS = 10
"""With fewer groups a standard error is itself too uncertain to call anything more than noise."""
FALSE_DISCOVERIES = 0.05
"""Of the cells of a difference that are called more than noise, at most this share is expected to be noise."""
CLIP = 2.5
"""Standard deviations at which a standardised feature map saturates."""
REGION_COLOURS = ("#d55e00", "#e69f00", "#0072b2", "#009e73", "#f0e442", "#8e4a9e", "#56b4e9", "#9aa0a8")


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """One mean map minus another.

    Attributes:
        value, error: (h, w), the difference and its standard error (groups drawn; the two taken as independent,
            which is cautious where they share groups).
        groups: of the cell with fewer.
        beyond: (h, w) bool, more than noise after Benjamini and Hochberg's procedure at `FALSE_DISCOVERIES`.
    """

    value: Floats
    error: Floats
    beyond: npt.NDArray[np.bool_]
    groups: int

    @property
    def enough(self) -> bool:
        """Whether there are groups enough to call anything more than noise."""
        return self.groups >= FEWEST_GROUPS


def difference(first: Cell, second: Cell) -> Difference:
    """The difference of two cells' mean maps."""
    value = first.map.mean - second.map.mean
    error = np.hypot(first.map.standard_error, second.map.standard_error)
    groups = min(first.map.groups, second.map.groups)
    beyond = np.zeros(value.shape, bool)
    known = np.isfinite(value) & np.isfinite(error) & (error > 0)
    if known.any() and groups >= FEWEST_GROUPS:
        p = 2 * stats.norm.sf(np.abs(value[known] / error[known]))
        beyond[known] = stats.false_discovery_control(p) <= FALSE_DISCOVERIES
    return Difference(value, error, beyond, groups)


def draw_cells(cells: Sequence[tuple[str, Cell]]) -> Figure:
    """Mean face, mean map, its standard error and its spread, a row a cell."""
    limit = symmetric(*(cell.map.mean for _, cell in cells))
    spread = symmetric(*(cell.spread.std for _, cell in cells))
    error = symmetric(*(cell.map.standard_error for _, cell in cells))
    grey = mpl.colormaps["viridis"].with_extremes(bad="#d9dde3")
    rows = [
        (
            f"{name}\n{cell.pictures:,}",
            (
                Tile(cell.face.mean.transpose(1, 2, 0)),
                Tile(cell.map.mean, signed(), -limit, limit),
                Tile(cell.map.standard_error, grey, 0, error),
                Tile(cell.spread.std[0], grey, 0, spread),
            ),
        )
        for name, cell in cells
    ]
    bars = (
        Bar(signed(), -limit, limit, "mean map: for real < 0 < for fake"),
        Bar(grey, 0, error, "standard error of the mean"),
        Bar(grey, 0, spread, "standard deviation over pictures"),
    )
    return grid(rows, ("mean face", "mean map", "standard error", "spread over pictures"), bars=bars, largest=1.3)


def draw_difference(names: tuple[str, str], first: Cell, second: Cell, found: Difference) -> Figure:
    """Two mean maps, their difference, its standard error, and what of it is more than noise."""
    limit = symmetric(first.map.mean, second.map.mean)
    apart = symmetric(found.value)
    grey = mpl.colormaps["viridis"].with_extremes(bad="#d9dde3")
    error = symmetric(found.error)
    sure = np.where(found.beyond, found.value, np.nan)
    tiles = (
        Tile(first.map.mean, signed(), -limit, limit),
        Tile(second.map.mean, signed(), -limit, limit),
        Tile(found.value, signed(), -apart, apart),
        Tile(found.error, grey, 0, error),
        Tile(sure, signed(), -apart, apart),
    )
    columns = (names[0], names[1], "difference", "its standard error", "more than noise")
    bars = (
        Bar(signed(), -limit, limit, "mean maps"),
        Bar(signed(), -apart, apart, "difference"),
        Bar(grey, 0, error, "its standard error"),
    )
    return grid([("", tiles)], columns, bars=bars, largest=1.19)


def draw_layers(cells: Sequence[tuple[str, Cell]], layers: Sequence[str]) -> Figure:
    """The mean over all channels of each layer, a row a cell; standardised over the cells together."""
    tiles: list[list[Tile]] = [[] for _ in cells]
    for layer in layers:
        for row, values in zip(tiles, standardised([cell.layers[layer].mean[-1] for _, cell in cells]), strict=True):
            row.append(Tile(values, _viridis(), -CLIP, CLIP))
    rows = [(f"{name}\n{cell.pictures:,}", row) for (name, cell), row in zip(cells, tiles, strict=True)]
    bar = Bar(_viridis(), -CLIP, CLIP, "standard deviations from the layer's mean")
    return grid(rows, [_short(layer) for layer in layers], bars=(bar,), largest=1.25)


def draw_channels(cells: Sequence[tuple[str, Cell]], layer: str) -> Figure:
    """Mean and spread of each channel of one layer, a row a cell."""
    channels = len(cells[0][1].layers[layer].mean) - 1
    means: list[list[Tile]] = [[] for _ in cells]
    spreads: list[list[Tile]] = [[] for _ in cells]
    for channel in range(channels):
        planes = standardised([cell.layers[layer].mean[channel] for _, cell in cells])
        stds = [cell.layers[layer].std[channel] for _, cell in cells]
        top = symmetric(*stds)
        for number, (plane, std) in enumerate(zip(planes, stds, strict=True)):
            means[number].append(Tile(plane, _viridis(), -CLIP, CLIP))
            spreads[number].append(Tile(std / top, _viridis(), 0, 1))
    rows = [
        *((f"{name}, mean", row) for (name, _), row in zip(cells, means, strict=True)),
        *((f"{name}, spread", row) for (name, _), row in zip(cells, spreads, strict=True)),
    ]
    bars = (
        Bar(_viridis(), -CLIP, CLIP, "mean: standard deviations from the channel's mean"),
        Bar(_viridis(), 0, 1, "spread: of the channel's largest"),
    )
    return grid(rows, [str(channel) for channel in range(channels)], bars=bars, largest=0.8)


def standardised(planes: Sequence[Floats]) -> list[Floats]:
    """Planes minus their common mean over their common standard deviation; all zero where they are all one value."""
    together = np.stack(planes)
    mean, std = np.nanmean(together), np.nanstd(together)
    return [(plane - mean) / std if std > 1e-9 * (1 + abs(mean)) else plane * 0 for plane in planes]


def _viridis() -> mpl.colors.Colormap:
    return mpl.colormaps["viridis"].with_extremes(bad="#d9dde3")


def _short(name: str) -> str:
    return name.replace("branches", "b").replace("backbone", "bb").replace("stages", "s")


@house_style()
def draw_regions(face: Floats, landmarks: npt.NDArray[np.float32]) -> Figure:
    """The regions on the mean face.

    Args:
        face: (3, h, w) of 0 to 1.
        landmarks: (5, 2), of the mean face.
    """
    numbers = coverage([landmarks], FINE, FINE)[0].argmax(0).numpy()
    colours = np.array([mpl.colors.to_rgb(colour) for colour in REGION_COLOURS])[numbers]
    where = (np.arange(face.shape[1]) * FINE) // face.shape[1]
    picture = np.nan_to_num(face.transpose(1, 2, 0), nan=0.85)
    figure = new_figure("column", height=1.9)
    axes = figure.add_subplot()
    axes.imshow(np.clip(0.62 * picture + 0.38 * colours[where][:, where], 0, 1))
    axes.set_axis_off()
    patches = [mpl.patches.Patch(color=colour) for colour in REGION_COLOURS]
    figure.legend(patches, REGIONS, loc="outside right center")
    return figure


Row = tuple[str, Sequence[tuple[str, Measured]]]


@house_style()
def draw_dots(panels: Sequence[tuple[str, Sequence[Row]]], chance: float, words: str) -> Figure:
    """Numbers with intervals for real and fake, a panel a measure.

    Args:
        panels: title; and rows: name, and (label, number) pairs.
        chance: where a line stands.
        words: of the x axis.
    """
    count = max(len(rows) for _, rows in panels)
    figure = new_figure("page", height=0.85 + 0.24 * count)
    all_axes = figure.subplots(1, len(panels), sharey=True, sharex=True, squeeze=False)[0]
    for axes, (title, rows) in zip(all_axes, panels, strict=True):
        axes.axvline(chance, color=QUIET, linewidth=0.8, linestyle=":")
        for y, (_, pairs) in enumerate(rows):
            for label, number in pairs:
                if not np.isfinite(number.value):
                    continue
                place = y + (-0.14 if label == "real" else 0.14)
                axes.plot((number.low, number.high), (place, place), color=LABEL_COLOURS[label], linestyle="-")
                marker = "o" if label == "real" else "D"
                axes.plot(number.value, place, marker, color=LABEL_COLOURS[label], markersize=3)
        axes.set_title(title)
        axes.set_yticks(range(len(rows)), [name for name, _ in rows])
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.grid(axis="x")
        axes.set_xlabel(words)
    handles = [
        mpl.lines.Line2D([], [], color=LABEL_COLOURS[label], marker=marker, markersize=3, linestyle="-")
        for label, marker in (("real", "o"), ("fake", "D"))
    ]
    legend = figure.legend(handles, ("real pictures", "fakes"), loc="outside upper left", ncols=2, handlelength=1.6)
    for text, label in zip(legend.get_texts(), ("real", "fake"), strict=True):
        text.set_color(LABEL_COLOURS[label])
    return figure

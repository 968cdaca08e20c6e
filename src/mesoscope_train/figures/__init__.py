"""The one style of all figures: colours, sizes, letters, and how they are saved.

`colours` says what each colour means, `style` makes figures, `saving` writes them as PNG, SVG or PDF, `themed` as SVG
that follows a page's light or dark theme. Drawing happens without pyplot: nothing opens a window, nothing is kept.

    @house_style()
    def draw(...) -> Figure:
        figure = new_figure("column", height=2.2)
        axes = figure.add_subplot()
        ...
        return figure
"""

from __future__ import annotations

from mesoscope_train.figures.colours import FAKE, GRID, GROUND, INK, LABEL_COLOURS, QUIET, REAL, SERIES, WARNING
from mesoscope_train.figures.saving import FORMATS, save
from mesoscope_train.figures.style import (
    WIDTHS,
    Width,
    house_style,
    log_scale,
    name_classes,
    new_figure,
    shortened,
    shortened_apart,
)
from mesoscope_train.figures.themed import themed_svg

__all__ = [
    "FAKE",
    "FORMATS",
    "GRID",
    "GROUND",
    "INK",
    "LABEL_COLOURS",
    "QUIET",
    "REAL",
    "SERIES",
    "WARNING",
    "WIDTHS",
    "Width",
    "house_style",
    "log_scale",
    "name_classes",
    "new_figure",
    "save",
    "shortened",
    "shortened_apart",
    "themed_svg",
]

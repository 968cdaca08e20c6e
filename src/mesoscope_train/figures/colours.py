"""What each colour means, the same in figures, reports and overlays."""

from __future__ import annotations

from collections.abc import Mapping

from mesoscope.explain import OUTCOME_COLOURS
from mesoscope.report.charts import GRID, INK, QUIET
from mesoscope.types import Outcome

__all__ = ["FAKE", "GRID", "GROUND", "INK", "LABEL_COLOURS", "QUIET", "REAL", "SERIES", "THEME", "WARNING"]

FAKE = OUTCOME_COLOURS[Outcome.FAKE]
REAL = OUTCOME_COLOURS[Outcome.REAL]
"""Vermilion and blue, as in the reports: they stay apart under the common forms of colour blindness."""
LABEL_COLOURS: Mapping[str, str] = {"real": REAL, "fake": FAKE}
WARNING = "#9a6b00"
"""A dark amber that can be read as text on white."""
GROUND = "#ffffff"
SERIES = ("#00795a", "#8e4a9e", "#d08700", "#3a9bd1", "#4b3fa0", "#8a8f98")
"""For curves that stand for neither label (runs, detectors): hues of M. Okabe and K. Ito, "Color Universal Design",
2008, darkened so that thin lines show on white, without the two that mean real and fake. Line styles go with them."""

THEME: Mapping[str, str] = {
    INK: "--ink",
    QUIET: "--quiet",
    GRID: "--grid",
    REAL: "--real",
    FAKE: "--fake",
    WARNING: "--amber",
    GROUND: "--ground",
    # pages that set no such property keep the colour as it is
    **{colour: f"--series-{place}, {colour}" for place, colour in enumerate(SERIES, start=1)},
}
"""Colour to the custom property that takes its place in SVG that stands inside a page."""

"""From a signed map to colours a person can read, and boxes with labels that stay readable.

Everything here draws on copies of (H, W, 3) uint8 RGB pictures with numpy and Pillow alone. Warm colours
and solid outlines speak for fake, cool colours and dotted outlines for real; zero is transparent.
"""

from mesoscope.explain.colours import MapScale, caption, colourise, measure
from mesoscope.explain.marks import OUTCOME_COLOURS, OUTCOME_WORDS, Mark, draw_marks
from mesoscope.explain.overlay import blend_maps, outline, overlay, with_legend

__all__ = [
    "OUTCOME_COLOURS",
    "OUTCOME_WORDS",
    "MapScale",
    "Mark",
    "blend_maps",
    "caption",
    "colourise",
    "draw_marks",
    "measure",
    "outline",
    "overlay",
    "with_legend",
]

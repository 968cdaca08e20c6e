"""Explaining a score, and drawing what was found.

Explaining: ways to make a signed map (`methods`), tests of whether it can be trusted (`faithfulness`, `sanity`), and
all of it for one input (`examining`). They ask a judge; what needs gradients comes from the learning package.

Drawing: from a signed map to colours a person can read, and boxes with labels that stay readable, on copies of
(H, W, 3) uint8 RGB pictures with numpy and Pillow alone. Warm colours and solid outlines speak for fake, cool colours
and dotted outlines for real; zero is transparent.
"""

from mesoscope.explain import graph_map, occlusion  # noqa: F401 - importing a method's file registers it
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

"""Points of a face as the manifest's column ``landmarks`` holds them.

A text of ``x,y`` pairs with spaces between them, in shares of the picture's own width and height, so that a picture
may be resized and the text stays true. Five points are those of YuNet (`mesoscope.types.FoundFace`): right eye, left
eye, nose tip, right and left mouth corner, right and left being the person's. Any other number, from `FEWEST` on, is
an outline or a dense set (68 or 81 points), of which the convex hull counts.
"""

from __future__ import annotations

import numpy as np

from mesoscope.errors import ManifestError
from mesoscope.types import Box, Float32Array

FEWEST = 3
FIVE = 5
_FARTHEST = 2.0
"""In shares of the picture: a point that lies farther outside is in pixels, or wrong."""


def as_text(points: Float32Array, area: Box) -> str:
    """Points (N, 2) in pixels of a frame as the text of a crop that shows `area` of it."""
    shares = (points - [area.left, area.top]) / [area.width, area.height]
    return " ".join(f"{x:.4f},{y:.4f}" for x, y in shares.tolist())


def points_of(text: str, path: str) -> Float32Array:
    """(N, 2) float32 x, y in shares of the picture's width and height.

    Args:
        text: of the column.
        path: of the row, for the message.

    Raises:
        ManifestError: it is no list of points, has too few, or they lie far outside the picture.
    """
    try:
        points = np.array([[float(number) for number in pair.split(",")] for pair in text.split()], np.float32)
    except ValueError:
        points = np.zeros((0, 2), np.float32)
    if points.ndim != 2 or points.shape[1:] != (2,) or len(points) < FEWEST:
        raise ManifestError(f"{path}: landmarks are {FEWEST} or more pairs 'x,y' with spaces between, not {text!r}")
    if not (np.abs(points - 0.5) <= _FARTHEST).all():
        raise ManifestError(f"{path}: landmarks are shares of the picture's width and height, not pixels: {text!r}")
    return points

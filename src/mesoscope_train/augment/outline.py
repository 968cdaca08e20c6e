"""Where the face is in a picture, as a convex polygon: of landmarks, of a finder's box, or as crops usually show it.

The hull of dense landmarks (68, 81) reaches from the brows to the chin and from ear to ear. Where there are only
YuNet's five points, or a box, an ellipse stands for it whose proportions to the eyes and the mouth, or to the box,
are those of such a hull.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull, QhullError

from mesoscope.errors import ManifestError
from mesoscope.types import Float32Array
from mesoscope_train.data.landmarks import FIVE

WIDE, HIGH, LOWER = 1.0, 1.08, 0.65
"""Of the ellipse around five landmarks: half its width over the distance of the eyes, half its height over the way
from the eyes to the mouth, and how far down that way its middle lies."""
NARROWEST = 0.7
"""Half the width over half the height: eyes seen from the side lie close together, the face stays as wide."""
IN_BOX = (0.9, 1.0)
"""Width and height of the ellipse over those of a box that reaches from the brows to the chin."""
USUAL_MARGIN = 0.3
"""Of crops of which nothing is known: that of 'data faces'."""
_THINNEST = 1e-3
"""Least area of landmarks over the square of their reach."""
_CORNERS = 48
_Floats = npt.NDArray[np.float64]


def around(points: Float32Array, path: str = "a picture") -> Float32Array:
    """The outline of a face from its landmarks.

    Args:
        points: (5, 2) as YuNet gives them, or (N, 2) of which the convex hull is taken; x, y in pixels.
        path: of the picture, for the message.

    Returns:
        (M, 2) float32, corners in order.

    Raises:
        ManifestError: all points lie on one line, or at one place.
    """
    try:
        hull = ConvexHull(points)
        flat = hull.volume < _THINNEST * float(np.ptp(points, axis=0).max()) ** 2  # in a plane, its volume is an area
    except QhullError:
        flat = True
    if flat:
        raise ManifestError(f"{path}: the landmarks lie on one line, which encloses no face")
    return (
        _around_five(points.astype(np.float64)) if len(points) == FIVE else points[hull.vertices].astype(np.float32)
    )


def in_box(width: float, height: float) -> Float32Array:
    """Points around a face whose box lies in the middle of a crop, (M, 2) float32 in shares of the crop.

    Args:
        width: of the box, in shares of the crop's.
        height: likewise.
    """
    middle = np.array([0.5, 0.5])
    return _ellipse(middle, np.array([width * IN_BOX[0] / 2, 0.0]), np.array([0.0, height * IN_BOX[1] / 2]))


def in_a_crop() -> Float32Array:
    """The same for a crop of which nothing is known."""
    return in_box(1 / (1 + USUAL_MARGIN), 1 / (1 + USUAL_MARGIN))


def _around_five(points: _Floats) -> Float32Array:
    right_eye, left_eye, _nose, right_mouth, left_mouth = points
    eyes, mouth = (right_eye + left_eye) / 2, (right_mouth + left_mouth) / 2
    down = mouth - eyes
    length, apart = float(np.hypot(*down)), float(np.hypot(*(left_eye - right_eye)))
    high = HIGH * length
    wide = max(WIDE * apart, NARROWEST * high)
    across = np.array([-down[1], down[0]]) / max(length, 1e-6)
    return _ellipse(eyes + LOWER * down, across * wide, down * HIGH)


def _ellipse(middle: _Floats, across: _Floats, down: _Floats) -> Float32Array:
    """Of two half axes."""
    turn = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)[:, None]
    return (middle + np.cos(turn) * across + np.sin(turn) * down).astype(np.float32)

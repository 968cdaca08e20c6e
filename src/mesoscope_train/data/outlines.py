"""What is known of the faces that are to be blended with themselves, from a manifest's columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from mesoscope.errors import UsageError
from mesoscope.manifest import Manifest
from mesoscope.types import Float32Array
from mesoscope_train.augment.outline import around, in_a_crop, in_box
from mesoscope_train.augment.self_blend import Needs
from mesoscope_train.data.landmarks import points_of

_COLUMNS = ("path", "landmarks", "box_left", "box_top", "box_right", "box_bottom", "finder")
_SIZE = ("original_width", "original_height")
_ENOUGH: dict[Needs, tuple[Needs, ...]] = {
    "landmarks": ("landmarks",),
    "box": ("landmarks", "box"),
    "crop": ("landmarks", "box", "crop"),
}
NO_FINDER = "none"
"""What stands for the finder where whole frames were kept: their box is the frame's."""


@dataclass(frozen=True, slots=True)
class Outlines:
    """Of all rows of a manifest.

    Attributes:
        points: one (N, 2) float32 a row, x, y in shares of the picture.
        known: how many rows have landmarks, how many a box, of how many only the crop is known.
    """

    points: tuple[Float32Array, ...]
    known: dict[str, int]


def outlines_of(manifest: Manifest, needs: Needs) -> Outlines:
    """Landmarks where a row has them, else the box of its face in its crop, else the middle of the crop.

    Args:
        manifest: real faces.
        needs: what every row must have at least.

    Raises:
        UsageError: a row has less.
        ManifestError: landmarks that are none.
    """
    columns = {name: manifest.values(name) for name in (*_COLUMNS, *_SIZE) if name in manifest}
    points: list[Float32Array] = []
    known: Counter[str] = Counter()
    short: list[str] = []
    for row in range(len(manifest)):
        kind, found = _of({name: values[row] for name, values in columns.items()})
        points.append(found)
        known[kind] += 1
        if kind not in _ENOUGH[needs]:
            short.append(str(columns["path"][row]))
    if short:
        raise UsageError(
            f"{len(short):,} of {len(manifest):,} real faces have no {' or '.join(_ENOUGH[needs])}, the first is "
            f"{short[0]}: cut the faces out with 'mesoscope data faces --finder yunet', which writes them into the "
            "manifest, or set blend.needs=crop, where an ellipse in the middle of the crop stands in"
        )
    return Outlines(tuple(points), dict(known))


def _of(row: dict[str, Any]) -> tuple[Needs, Float32Array]:
    if row.get("landmarks"):
        points = points_of(row["landmarks"], row["path"])
        around(points, row["path"])  # what encloses no face is told before anything is trained
        return "landmarks", points
    wanted = ("box_left", "box_right", "box_top", "box_bottom", *_SIZE)
    if row.get("finder") == NO_FINDER or any(row.get(name) is None for name in wanted):
        return "crop", in_a_crop()
    # a crop is square around the middle of its box
    left, right, top, bottom, width, height = (float(row[name]) for name in wanted)
    return "box", in_box(min(1.0, (right - left) / width), min(1.0, (bottom - top) / height))

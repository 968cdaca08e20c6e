"""What finders share: resizing before the search, duplicates and order after it. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from PIL import Image

from mesoscope.types import FoundFace, UInt8Image


def resized(pixels: UInt8Image, factor: float) -> UInt8Image:
    """A picture resized for searching (bilinear; averages over the area when it shrinks).

    Args:
        pixels: (H, W, 3) uint8.
        factor: new side over old side; each new side is at least one pixel.

    Returns:
        (h, w, 3) uint8; `pixels` itself where the size stays.
    """
    height, width = pixels.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    if size == (width, height):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))


def without_duplicates(faces: Iterable[FoundFace], overlap: float) -> list[FoundFace]:
    """Greedy non-maximum suppression, then left to right.

    Of two faces whose boxes have an intersection over union above `overlap`, the one with the higher score
    stays (scores of None count as lowest; ties go to the left, then the upper one).
    """
    ranked = sorted(faces, key=lambda face: (-_rank(face), face.box.left, face.box.top))
    kept: list[FoundFace] = []
    for face in ranked:
        if all(face.box.iou(other.box) <= overlap for other in kept):
            kept.append(face)
    return left_to_right(kept)


def left_to_right(faces: Iterable[FoundFace]) -> list[FoundFace]:
    """The order in which every finder returns its faces: by the boxes' left, then upper edge."""
    return sorted(faces, key=lambda face: (face.box.left, face.box.top, face.box.right, face.box.bottom))


def _rank(face: FoundFace) -> float:
    return float("-inf") if face.score is None else face.score

"""What a JPEG's header tells of its encoder: quantisation tables, quality, chroma subsampling, progressive or not.

Read from Pillow's own attributes; no pixel is decoded. The quality is not stored in a JPEG: it is estimated as the
setting of the Independent JPEG Group's encoder (libjpeg, jcparam.c) whose luminance table comes nearest. Its base
table is that of ITU-T T.81, Annex K.1.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import JpegImagePlugin

_BASE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
).ravel()
_HEADER_ERRORS = (OSError, SyntaxError, ValueError, TypeError, LookupError, AttributeError)
_SUBSAMPLINGS: dict[tuple[tuple[int, int], ...], str] = {
    ((1, 1), (1, 1), (1, 1)): "4:4:4",
    ((2, 1), (1, 1), (1, 1)): "4:2:2",
    ((2, 2), (1, 1), (1, 1)): "4:2:0",
    ((1, 2), (1, 1), (1, 1)): "4:4:0",
    ((4, 1), (1, 1), (1, 1)): "4:1:1",
}


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """How a JPEG was encoded.

    Attributes:
        quality: 1 to 100.
        tables: 12 hex digits; equal where the tables of all components are equal.
        subsampling: ``4:2:0`` and so on, ``grey`` for one component, ``other``.
        progressive: whether it is.
    """

    quality: int
    tables: str
    subsampling: str
    progressive: bool


def read_header(file: Path) -> JpegHeader | None:
    """The header of a JPEG that was found to be readable; None where its tables come too late or are odd."""
    try:
        # the plugin itself: `Image.open` would refuse large pictures by a limit that is global to the process
        with JpegImagePlugin.JpegImageFile(file) as image:
            tables = [tuple(image.quantization[component[3]]) for component in image.layer]
            factors = tuple((component[1], component[2]) for component in image.layer)
            progressive = bool(image.info.get("progressive"))
    except _HEADER_ERRORS:
        return None
    if not tables or any(len(table) != _BASE.size for table in tables):
        return None
    subsampling = "grey" if len(factors) == 1 else _SUBSAMPLINGS.get(factors, "other")
    return JpegHeader(estimate_quality(tables[0]), table_hash(tables), subsampling, progressive)


def estimate_quality(luminance: tuple[int, ...] | list[int]) -> int:
    """The quality, 1 to 100, at which libjpeg's luminance table is nearest.

    Nearest is the least sum of absolute differences of the logarithms: a step of 2 in place of 1 weighs as much as
    one of 40 in place of 20. A table of another encoder (Photoshop, a camera) gets the setting it resembles.

    Args:
        luminance: 64 steps in rows, as Pillow gives them.
    """
    steps = np.log(np.maximum(np.asarray(luminance, np.float64), 1))
    distance = np.abs(_STANDARD - steps).sum(axis=1)
    return int(distance.size - np.argmin(distance[::-1]))  # of equally near ones the highest


def table_hash(tables: list[tuple[int, ...]]) -> str:
    """12 hex digits of the tables in the order of the components."""
    return hashlib.sha256(repr(tables).encode()).hexdigest()[:12]


def _standard_tables() -> npt.NDArray[np.float64]:
    """Logarithms (100, 64) of libjpeg's luminance tables for quality 1 to 100."""
    quality = np.arange(1, 101)[:, None]
    scale = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    return np.asarray(np.log(np.clip((_BASE[None] * scale + 50) // 100, 1, 255)), np.float64)


_STANDARD = _standard_tables()

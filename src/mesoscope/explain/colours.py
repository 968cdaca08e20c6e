"""The colour scale of explanation maps, and the sentence that says what it shows.

The scale is diverging and built in OKLab (B. Ottosson, "A perceptual color space for image processing",
2020; the matrices are public domain): two fixed hues, vermilion and blue, which stay apart under the common
forms of colour blindness; at equal strength both arms have the same lightness, and lightness and chroma
change linearly with strength.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from mesoscope.types import Float32Array

UInt8Array = npt.NDArray[np.uint8]
FAKE_HUE, REAL_HUE = 34.0, 256.0
"""Degrees in OKLCh: vermilion and blue."""
_LIGHTNESS = (0.78, 0.56)
_CHROMA = (0.09, 0.19)
OPACITY = 0.78
"""Of the strongest colour over the picture."""
FAINT_OPACITY = 0.3
"""The same for a map whose peak is below the floor: visible that something was drawn, nothing that claims."""
_STEPS = 127


@dataclass(frozen=True, slots=True)
class MapScale:
    """The range of one map, or of several that share one scale.

    Attributes:
        low, high: smallest and largest value (logit units per cell).
        floor: the bundle's: an absolute peak below it claims nothing localised. Above 0.
    """

    low: float
    high: float
    floor: float

    @property
    def peak(self) -> float:
        """Largest absolute value."""
        return max(abs(self.low), abs(self.high))

    @property
    def limit(self) -> float:
        """The absolute value at which colours saturate: never below the floor, so that noise is not stretched."""
        return max(self.peak, self.floor)

    @property
    def localised(self) -> bool:
        """Whether the peak reaches the floor."""
        return self.peak >= self.floor

    @property
    def opacity(self) -> float:
        """Opacity of the strongest colour."""
        return OPACITY if self.localised else FAINT_OPACITY


def measure(maps: Iterable[Float32Array | None], floor: float) -> MapScale | None:
    """The scale that several maps share; None where there is no map at all.

    Args:
        maps: (h, w) float32 each, finite, any sizes; None is skipped.
        floor: of the bundle's explanation, above 0.

    Raises:
        ValueError: the floor is not above 0, or a map is empty or not finite.
    """
    if not floor > 0:
        raise ValueError(f"the floor must be above 0, not {floor}")
    lows, highs = [], []
    for values in maps:
        if values is None:
            continue
        if values.size == 0 or not np.isfinite(values).all():
            raise ValueError("a map is empty or holds a value that is not finite")
        lows.append(float(values.min()))
        highs.append(float(values.max()))
    return MapScale(min(lows), max(highs), floor) if lows else None


def caption(scale: MapScale | None) -> str:
    """One sentence about a map's real range, fit to stand under it."""
    if scale is None:
        return "no map for this picture"
    if not scale.localised:
        return (
            f"no localised evidence (peak {scale.peak:.2g}, floor {scale.floor:.2g}): the score does not rest on "
            "any one place"
        )
    return f"map from {scale.low:+.2g} to {scale.high:+.2g} logit units per cell (floor {scale.floor:.2g})"


def colourise(values: Float32Array, limit: float, opacity: float = OPACITY) -> UInt8Array:
    """Colours of signed values, transparent at zero.

    Args:
        values: (h, w) float32; positive speaks for fake, negative for real.
        limit: the absolute value at which the colour saturates, above 0.
        opacity: of the saturated colour, in [0, 1].

    Returns:
        (h, w, 4) uint8 RGBA, straight (not premultiplied) alpha.
    """
    steps = np.clip(np.rint(values * (_STEPS / limit)), -_STEPS, _STEPS).astype(np.int16) + _STEPS
    table = _table().copy()
    table[:, 3] = np.rint(table[:, 3] * opacity)
    return np.asarray(table[steps], np.uint8)


@cache
def _table() -> UInt8Array:
    """(2 * _STEPS + 1, 4) RGBA from the strongest evidence for real to the strongest for fake."""
    strength = np.abs(np.arange(-_STEPS, _STEPS + 1)) / _STEPS
    hue = np.where(np.arange(-_STEPS, _STEPS + 1) < 0, REAL_HUE, FAKE_HUE)
    lightness = _LIGHTNESS[0] + (_LIGHTNESS[1] - _LIGHTNESS[0]) * strength
    chroma = _CHROMA[0] + (_CHROMA[1] - _CHROMA[0]) * strength
    table = np.empty((len(strength), 4), np.uint8)
    table[:, :3] = oklch_to_srgb(lightness, chroma, hue)
    table[:, 3] = np.rint(255 * strength)
    return table


def oklch_to_srgb(
    lightness: npt.NDArray[np.float64], chroma: npt.NDArray[np.float64], hue: npt.NDArray[np.float64]
) -> UInt8Array:
    """OKLCh to 8-bit sRGB, clipped to its gamut.

    Args:
        lightness: (n,) in [0, 1].
        chroma: (n,) from 0 on.
        hue: (n,) in degrees.

    Returns:
        (n, 3) uint8.
    """
    a, b = chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = np.stack(
        [
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        ],
        axis=-1,
    ).clip(0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    srgb: UInt8Array = np.rint(255 * encoded).astype(np.uint8)
    return srgb

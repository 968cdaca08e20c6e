"""Colours of feature maps (viridis), the older look of heat maps (jet), and sheets of channels.

Viridis: N. Smith, S. van der Walt, E. Firing, 2015, CC0; here every fifth of its 256 colours, between which is
interpolated. Jet is written from its definition (three ramps); it is no perceptual scale, and is here because studies
show it.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from mesoscope.types import Float32Array, UInt8Image

SPREAD = 2.0
"""Standard deviations from a channel's mean at which colours end."""
SILENT = (228, 231, 236)
"""A channel without any variation: no colour of the scale."""
GAP = 2
"""Pixels of white between channels."""
_VIRIDIS = (
    "44015446085c471063481769481d6f482475472a7a46307e453781433d844142873f48893d4e8a3a538b38598c355e8d"
    "33638d31688e2e6d8e2c718e2a768e297b8e27808e25848e23898e218e8d20928c1f978b1e9c891fa18821a58524aa83"
    "28ae802eb37c35b7793dbc7446c06f50c46a5ac86465cb5e70cf577cd25089d54895d840a2da37b0dd2fbddf26cae11f"
    "d8e219e5e419f1e51dfde725"
)


@cache
def viridis() -> UInt8Image:
    """(256, 3) uint8, from low to high."""
    anchors = np.frombuffer(bytes.fromhex(_VIRIDIS), np.uint8).reshape(-1, 3).astype(np.float64)
    places = np.linspace(0, 255, len(anchors))
    channels = [np.interp(np.arange(256), places, anchors[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, -1)).astype(np.uint8)


@cache
def jet() -> UInt8Image:
    """(256, 3) uint8, from low (blue) by way of green to high (red)."""
    x = np.linspace(0, 1, 256)
    ramps = [np.clip(1.5 - np.abs(4 * x - centre), 0, 1) for centre in (3, 2, 1)]
    return np.rint(255 * np.stack(ramps, -1)).astype(np.uint8)


def standardised(plane: Float32Array) -> tuple[npt.NDArray[np.uint8], bool]:
    """A channel as places on a scale: its own mean in the middle, `SPREAD` standard deviations to either end.

    Args:
        plane: (h, w) float32.

    Returns:
        (h, w) uint8, and False where the channel is silent (the same value everywhere).
    """
    spread = float(plane.std())
    if spread <= 1e-6 * max(1.0, float(np.abs(plane).max())):
        return np.zeros(plane.shape, np.uint8), False
    scaled = (plane - plane.mean()) / (spread * SPREAD)
    return np.rint(127.5 + 127.5 * scaled.clip(-1, 1)).astype(np.uint8), True


def sheet(planes: Float32Array, columns: int, side: int) -> tuple[UInt8Image, int]:
    """Channels beside each other, each standardised, in viridis, enlarged without smoothing.

    Args:
        planes: (K, h, w) float32, h = w or nearly.
        columns: channels a row.
        side: pixels a channel at least; a channel of more pixels keeps them.

    Returns:
        (H, W, 3) uint8 RGB on white, and how many channels are silent (drawn in light grey).
    """
    count, high, wide = planes.shape
    times = max(1, -(-side // max(high, wide)))
    high, wide = high * times, wide * times
    rows = -(-count // columns)
    out = np.full((rows * (high + GAP) - GAP, columns * (wide + GAP) - GAP, 3), 255, np.uint8)
    silent = 0
    for place, plane in enumerate(planes):
        levels, alive = standardised(plane)
        silent += not alive
        tile = viridis()[levels] if alive else np.full((*levels.shape, 3), SILENT, np.uint8)
        top, left = place // columns * (high + GAP), place % columns * (wide + GAP)
        out[top : top + high, left : left + wide] = tile.repeat(times, 0).repeat(times, 1)
    return out, silent

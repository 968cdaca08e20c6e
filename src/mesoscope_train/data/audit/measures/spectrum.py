"""The radial power spectrum: how much of a picture's luminance varies how finely, whatever the direction.

Generated pictures are known by it (R. Durall, M. Keuper, J. Keuper, Watch your up-convolution, CVPR 2020), and so are
pictures that were merely enlarged, denoised or compressed: that is why it stands among the shortcuts.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft

from mesoscope.types import Float32Array
from mesoscope_train.data.audit.measures.schema import RINGS

SMALLEST = 2 * RINGS
"""Pixels a side below which the inner rings would be empty."""
_FLOOR = 1e-3
"""Added to the power before the logarithm: far below the 1/12 that rounding to whole grey values leaves."""


def radial_spectrum(luma: Float32Array) -> Float32Array | None:
    """Log10 of the mean power in rings of equal width from 0 to 0.5 cycles a pixel.

    The mean is taken off and a Hann window laid on; power is scaled so that white noise of variance v has v in
    every ring. The mean itself (frequency 0) and the corners beyond 0.5 are left out.

    Args:
        luma: (H, W) float32.

    Returns:
        (RINGS,) float32; None below `SMALLEST` pixels a side.
    """
    if min(luma.shape) < SMALLEST:
        return None
    window, rings, weights, counts = _geometry(*luma.shape)
    transformed = fft.rfft2((luma - luma.mean()) * window)
    power = (transformed.real**2 + transformed.imag**2) * weights
    sums = np.bincount(rings, power.ravel(), minlength=RINGS + 1)[:RINGS]
    return np.log10(sums / counts + _FLOOR).astype(np.float32)


@lru_cache(maxsize=32)
def _geometry(
    height: int, width: int
) -> tuple[Float32Array, npt.NDArray[np.intp], Float32Array, npt.NDArray[np.float64]]:
    """For one shape: window (H, W); ring of each coefficient of the half plane; its weight; weights in each ring.

    The half plane of a real transform holds each coefficient of its inner columns for two.
    """
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    across, down = fft.rfftfreq(width), fft.fftfreq(height)
    radius = np.hypot(down[:, None], across[None])
    rings = np.minimum((radius * 2 * RINGS).astype(np.intp), RINGS)
    rings[radius == 0.5] = RINGS - 1
    rings[0, 0] = RINGS
    twice = np.full(across.size, 2.0)
    twice[0] = 1
    if width % 2 == 0:
        twice[-1] = 1
    weights = np.broadcast_to(twice, radius.shape)
    counts = np.bincount(rings.ravel(), weights.ravel(), minlength=RINGS + 1)[:RINGS]
    scale = np.sum(window**2)
    flat: npt.NDArray[np.intp] = rings.ravel()
    sums: npt.NDArray[np.float64] = counts.astype(np.float64)
    return window.astype(np.float32), flat, (weights / scale).astype(np.float32), sums

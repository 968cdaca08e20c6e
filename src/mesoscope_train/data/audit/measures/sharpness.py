"""How sharp a picture is, as stored and at a fixed size, and where: pure functions of luminance."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from mesoscope.types import Float32Array, UInt8Image

_Number = TypeVar("_Number", bound=np.generic)
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_FLOOR = np.float32(1.0)
"""Added to both energies of the edge ratio: a plain page has neither, and its ratio is 1."""


def luminance(pixels: UInt8Image) -> Float32Array:
    """(H, W) float32 in [0, 255] of (H, W, 3) uint8."""
    return np.asarray(pixels.astype(np.float32) @ _LUMA)


def middle(image: npt.NDArray[_Number], side: int) -> npt.NDArray[_Number]:
    """The middle of an (H, W) or (H, W, C) array, at most `side` pixels wide and high; a view."""
    height, width = image.shape[:2]
    top, left = max(0, (height - side) // 2), max(0, (width - side) // 2)
    return image[top : top + side, left : left + side]


def laplacian_variance(luma: Float32Array) -> float | None:
    """Variance of the four-neighbour Laplacian over the inner pixels; None below 3 x 3.

    The usual measure of focus (J. L. Pech-Pacheco et al., Diatom autofocusing in brightfield microscopy, ICPR 2000).
    """
    if min(luma.shape) < 3:
        return None
    laplacian = luma[1:-1, 1:-1] * np.float32(-4)
    for neighbour in (luma[:-2, 1:-1], luma[2:, 1:-1], luma[1:-1, :-2], luma[1:-1, 2:]):
        laplacian += neighbour
    return float(laplacian.var(dtype=np.float64))


def gradient_energy(luma: Float32Array) -> float | None:
    """Mean of the squared differences to the right and the lower neighbour; None below 2 x 2."""
    return None if min(luma.shape) < 2 else float(_energy(luma).mean(dtype=np.float64))


def edge_ratio(luma: Float32Array) -> float | None:
    """Log10 of the gradient energy of the outer part over that of the inner half; None below 8 x 8.

    The inner half is the middle half of the height and the width. Below 0 the border is softer than the centre, as in
    a portrait before a blurred background.
    """
    if min(luma.shape) < 8:
        return None
    energy = _energy(luma)
    height, width = energy.shape
    inner = energy[height // 4 : height - height // 4, width // 4 : width - width // 4]
    inside, everywhere = inner.sum(dtype=np.float64), energy.sum(dtype=np.float64)
    outside = (everywhere - inside) / (energy.size - inner.size)
    return float(np.log10((outside + _FLOOR) / (inside / inner.size + _FLOOR)))


def _energy(luma: Float32Array) -> Float32Array:
    """(H - 1, W - 1) float32: squared differences to the right and the lower neighbour, summed."""
    right = luma[:-1, 1:] - luma[:-1, :-1]
    down = luma[1:, :-1] - luma[:-1, :-1]
    return np.asarray(right * right + down * down)

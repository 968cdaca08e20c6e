"""Blur, noise and lost resolution."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from PIL import Image
from pydantic import AfterValidator
from scipy.ndimage import correlate1d

from mesoscope.types import UInt8Image
from mesoscope_train.augment.operation import Bounds, Step, between, resized

_FILTERS = (
    Image.Resampling.NEAREST,
    Image.Resampling.BOX,
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
)


def _odd(kernels: tuple[int, ...]) -> tuple[int, ...]:
    if not kernels or any(kernel < 1 or kernel % 2 == 0 for kernel in kernels):
        raise ValueError(f"kernels must be odd and at least 1: {kernels}")
    return kernels


class Blur(Step):
    """A Gaussian of a kernel drawn from `kernels` (pixels, odd).

    The standard deviation follows from the kernel as in OpenCV's `getGaussianKernel` and torchvision:
    ``0.3 * ((k - 1) / 2 - 1) + 0.8``.
    """

    kind: Literal["blur"] = "blur"
    kernels: Annotated[tuple[int, ...], AfterValidator(_odd)] = (3, 9, 15)

    def apply(self, pixels: UInt8Image, random: np.random.Generator) -> UInt8Image:
        """(H, W, 3) to (H, W, 3)."""
        kernel = self.kernels[int(random.integers(len(self.kernels)))]
        weights = gaussian(kernel)
        blurred = correlate1d(pixels.astype(np.float32), weights, axis=0, mode="mirror")
        blurred = correlate1d(blurred, weights, axis=1, mode="mirror")
        changed: UInt8Image = np.rint(blurred).clip(0, 255).astype(np.uint8)
        return changed


def gaussian(kernel: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Weights of a Gaussian of this odd length; they sum to one."""
    deviation = 0.3 * ((kernel - 1) / 2 - 1) + 0.8
    places = np.arange(kernel) - (kernel - 1) / 2
    weights = np.exp(-0.5 * (places / deviation) ** 2)
    normalised: np.ndarray[tuple[int], np.dtype[np.float64]] = weights / weights.sum()
    return normalised


class Noise(Step):
    """Gaussian noise, each channel by itself; the standard deviation is in grey levels of 0 to 255."""

    kind: Literal["noise"] = "noise"
    deviation: Bounds = (1.0, 10.0)

    def apply(self, pixels: UInt8Image, random: np.random.Generator) -> UInt8Image:
        """(H, W, 3) to (H, W, 3)."""
        noise = random.standard_normal(pixels.shape, np.float32) * np.float32(between(self.deviation, random))
        return np.rint(pixels + noise).clip(0, 255).astype(np.uint8)


class Resample(Step):
    """Shrunk to a share of its sides and enlarged again, each with a filter drawn from Pillow's.

    Attributes:
        share: of width and height.
        back: enlarge to the old size; else the picture stays small.
    """

    kind: Literal["resample"] = "resample"
    share: Bounds = (0.25, 1.0)
    back: bool = True

    def apply(self, pixels: UInt8Image, random: np.random.Generator) -> UInt8Image:
        """(H, W, 3) to (H, W, 3), or smaller without `back`."""
        share = between(self.share, random)
        down, up = (_FILTERS[int(index)] for index in random.integers(len(_FILTERS), size=2))
        height, width = pixels.shape[:2]
        small = resized(pixels, round(width * share), round(height * share), down)
        return resized(small, width, height, up) if self.back else small

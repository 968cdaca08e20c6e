"""Recompression as the web does it, once or in chains."""

from __future__ import annotations

import io
from typing import Annotated, Literal

import numpy as np
from PIL import Image
from pydantic import AfterValidator

from mesoscope.types import UInt8Image
from mesoscope_train.augment.operation import Bounds, Step, resized


def _qualities(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] < 1 or bounds[1] > 100:
        raise ValueError(f"a quality lies between 1 and 100: {bounds[0]:g}, {bounds[1]:g}")
    return bounds


Quality = Annotated[Bounds, AfterValidator(_qualities)]


class Jpeg(Step):
    """Encoded as JPEG and decoded again; the quality is Pillow's, that of libjpeg."""

    kind: Literal["jpeg"] = "jpeg"
    quality: Quality = (40, 95)

    def apply(self, pixels: UInt8Image, random: np.random.Generator) -> UInt8Image:
        """(H, W, 3) to (H, W, 3)."""
        return recompressed(pixels, "JPEG", _whole(self.quality, random))


class WebP(Step):
    """Encoded as lossy WebP and decoded again."""

    kind: Literal["webp"] = "webp"
    quality: Quality = (40, 95)

    def apply(self, pixels: UInt8Image, random: np.random.Generator) -> UInt8Image:
        """(H, W, 3) to (H, W, 3)."""
        return recompressed(pixels, "WEBP", _whole(self.quality, random))


class Messenger(Step):
    """What happens to a picture on its way through messengers: shrunk, then compressed several times.

    Attributes:
        longest: bounds of the longest side in pixels after shrinking; smaller pictures stay as they are.
        rounds: least and greatest number of compressions, each JPEG or WebP by chance.
        quality: of each.
    """

    kind: Literal["messenger"] = "messenger"
    longest: Bounds = (128, 768)
    rounds: tuple[int, int] = (2, 4)
    quality: Quality = (50, 90)

    def apply(self, pixels: UInt8Image, random: np.random.Generator) -> UInt8Image:
        """(H, W, 3) to (h, w, 3), longest side at most the drawn one."""
        height, width = pixels.shape[:2]
        factor = min(1.0, random.uniform(*self.longest) / max(height, width))
        if factor < 1:
            pixels = resized(pixels, round(width * factor), round(height * factor), Image.Resampling.BICUBIC)
        for _ in range(int(random.integers(self.rounds[0], self.rounds[1] + 1))):
            format: Literal["JPEG", "WEBP"] = "JPEG" if random.random() < 0.5 else "WEBP"
            pixels = recompressed(pixels, format, _whole(self.quality, random))
        return pixels


def recompressed(pixels: UInt8Image, format: Literal["JPEG", "WEBP"], quality: int) -> UInt8Image:
    """Through one encoder and back, (H, W, 3) to (H, W, 3)."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, quality=quality)
    return np.asarray(Image.open(buffer).convert("RGB"))


def _whole(bounds: tuple[float, float], random: np.random.Generator) -> int:
    return int(random.integers(round(bounds[0]), round(bounds[1]) + 1))

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


def _rounds(bounds: tuple[int, int]) -> tuple[int, int]:
    if not 0 <= bounds[0] <= bounds[1]:
        raise ValueError(f"rounds are a least and a greatest number from 0 on: {bounds[0]}, {bounds[1]}")
    return bounds


Quality = Annotated[Bounds, AfterValidator(_qualities)]
_SHRINKING = (Image.Resampling.BICUBIC, Image.Resampling.BILINEAR, Image.Resampling.LANCZOS, Image.Resampling.BOX)
"""Filters that programs shrink with; all average over the area."""


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
    """What happens to a picture on its way through messengers: shrunk once, compressed several times.

    Which compressions there are, how strong each of them is, by which filter the picture is shrunk and at which point
    of the chain: all of it is drawn anew for each picture, so that no order and no strength is a sign of a class.

    Attributes:
        longest: bounds of the longest side in pixels after shrinking; smaller pictures stay as they are.
        rounds: least and greatest number of compressions, each JPEG or WebP by chance.
        quality: of each.
        order: ``random`` shrinks anywhere in the chain; ``shrink-first`` before all compressions.
    """

    kind: Literal["messenger"] = "messenger"
    longest: Bounds = (128, 768)
    rounds: Annotated[tuple[int, int], AfterValidator(_rounds)] = (2, 4)
    quality: Quality = (50, 90)
    order: Literal["random", "shrink-first"] = "random"

    def apply(self, pixels: UInt8Image, random: np.random.Generator) -> UInt8Image:
        """(H, W, 3) to (h, w, 3), longest side at most the drawn one."""
        longest = random.uniform(*self.longest)
        filter = _SHRINKING[int(random.integers(len(_SHRINKING)))]
        rounds = int(random.integers(self.rounds[0], self.rounds[1] + 1))
        at = int(random.integers(rounds + 1)) if self.order == "random" else 0
        for link in range(rounds + 1):
            pixels = _shrunk(pixels, longest, filter) if link == at else self._compressed(pixels, random)
        return pixels

    def _compressed(self, pixels: UInt8Image, random: np.random.Generator) -> UInt8Image:
        format: Literal["JPEG", "WEBP"] = "JPEG" if random.random() < 0.5 else "WEBP"
        return recompressed(pixels, format, _whole(self.quality, random), halved=bool(random.random() < 0.75))


def recompressed(
    pixels: UInt8Image, format: Literal["JPEG", "WEBP"], quality: int, *, halved: bool = True
) -> UInt8Image:
    """Through one encoder and back, (H, W, 3) to (H, W, 3).

    Args:
        pixels: uint8 RGB.
        format: of the encoder.
        quality: its own, 1 to 100.
        halved: JPEG's colours at half the resolution (4:2:0), as most programs write it; WebP's always are.
    """
    buffer = io.BytesIO()
    how = {"subsampling": 2 if halved else 0} if format == "JPEG" else {}
    Image.fromarray(pixels).save(buffer, format, quality=quality, **how)
    return np.asarray(Image.open(buffer).convert("RGB"))


def _shrunk(pixels: UInt8Image, longest: float, filter: Image.Resampling) -> UInt8Image:
    height, width = pixels.shape[:2]
    factor = min(1.0, longest / max(height, width))
    return resized(pixels, round(width * factor), round(height * factor), filter) if factor < 1 else pixels


def _whole(bounds: tuple[float, float], random: np.random.Generator) -> int:
    return int(random.integers(round(bounds[0]), round(bounds[1]) + 1))

"""Brightness, contrast, saturation, hue."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from PIL import Image
from pydantic import Field

from mesoscope.types import UInt8Image
from mesoscope_train.augment.operation import Share, Step


class Colour(Step):
    """Each drawn evenly around 'no change', at most this far.

    Attributes:
        brightness: added to all channels, as a share of full white.
        contrast: around middle grey: a factor between 1 - c and 1 + c.
        saturation: a factor between 1 - s and 1 + s around the pixel's own grey.
        hue: share of the whole circle of hues; at most 0.5.
        tint: factor of each channel by itself, between 1 - t and 1 + t.
    """

    kind: Literal["colour"] = "colour"
    brightness: Share = 0.0
    contrast: Share = 0.0
    saturation: Share = 0.0
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    tint: Share = 0.0

    def apply(self, pixels: UInt8Image, random: np.random.Generator) -> UInt8Image:
        """(H, W, 3) to (H, W, 3)."""
        brightness = random.uniform(-self.brightness, self.brightness) * 255
        contrast = 1 + random.uniform(-self.contrast, self.contrast)
        saturation = 1 + random.uniform(-self.saturation, self.saturation)
        tint = 1 + random.uniform(-self.tint, self.tint, 3)
        turn = random.uniform(-self.hue, self.hue)
        image = Image.fromarray(pixels)
        if self.hue:
            image = _turned(image, turn)
        # all that is linear in RGB as one 3 x 4 matrix: one pass and one rounding
        mixed = contrast * (saturation * np.eye(3) + (1 - saturation) / 3)
        offset = np.full((3, 1), brightness + (1 - contrast) * 127.5)
        matrix = np.hstack([mixed, offset]) * tint[:, None]
        return np.asarray(image.convert("RGB", tuple(matrix.ravel().tolist())))


def _turned(image: Image.Image, turn: float) -> Image.Image:
    """All hues moved by a share of the circle."""
    planes = np.array(image.convert("HSV"))
    planes[..., 0] += np.uint8(round(turn * 256) % 256)  # wraps around, as hues do
    return Image.fromarray(planes, "HSV").convert("RGB")

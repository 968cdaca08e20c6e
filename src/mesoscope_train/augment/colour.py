"""Brightness, contrast, saturation, hue."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from PIL import Image
from pydantic import Field

from mesoscope.types import UInt8Image
from mesoscope_train.augment.operation import Share, Step

_LUMINANCE = np.array([0.213, 0.715, 0.072])
_GREY = np.tile(_LUMINANCE, (3, 1))
_COSINE = np.eye(3) - _GREY
_SINE = np.array([[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]])


class Colour(Step):
    """Each drawn evenly around 'no change', at most this far.

    Attributes:
        brightness: added to all channels, as a share of full white.
        contrast: around middle grey: a factor between 1 - c and 1 + c.
        saturation: a factor between 1 - s and 1 + s around the pixel's own grey.
        hue: turn by at most this share of the whole circle around the axis of greys, the luminance kept: "hueRotate"
            of the W3C's Filter Effects Module. It is linear and costs nothing beside the rest.
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
        # all of it is linear in RGB, so it is one 3 x 4 matrix: one pass and one rounding
        mixed = contrast * (saturation * np.eye(3) + (1 - saturation) / 3) @ hue_rotation(turn)
        offset = np.full((3, 1), brightness + (1 - contrast) * 127.5)
        matrix = np.hstack([mixed, offset]) * tint[:, None]
        return np.asarray(Image.fromarray(pixels).convert("RGB", tuple(matrix.ravel().tolist())))


def hue_rotation(turn: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """(3, 3) The matrix on RGB columns that turns hues by a share of the circle and keeps greys and luminance."""
    cosine, sine = np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)
    matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = _GREY + cosine * _COSINE + sine * _SINE
    return matrix

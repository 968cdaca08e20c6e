"""Flips, turns, scaling, shifts, windows. What comes in from outside the picture repeats its edge, as `crop` does."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from PIL import Image
from pydantic import Field

from mesoscope.preprocess import crop
from mesoscope.types import Box, UInt8Image
from mesoscope_train.augment.operation import Bounds, Share, Step, between, resized


class Flip(Step):
    """Mirrored left-right, up-down, or both, each with its own probability."""

    kind: Literal["flip"] = "flip"
    left_right: Share = 0.5
    up_down: Share = 0.0

    def apply(self, pixels: UInt8Image, random: np.random.Generator) -> UInt8Image:
        """(H, W, 3) to (H, W, 3)."""
        # both numbers are drawn always, so that one probability does not move the other's chance
        across, down = random.random(2)
        if across < self.left_right:
            pixels = pixels[:, ::-1]
        if down < self.up_down:
            pixels = pixels[::-1]
        return np.ascontiguousarray(pixels)


class Rotate(Step):
    """Turned around the centre by one of `angles`, or freely by up to `degrees` either way.

    Attributes:
        angles: in degrees, counter-clockwise; one of them is drawn. Empty: free rotation.
        degrees: of free rotation.
    """

    kind: Literal["rotate"] = "rotate"
    angles: tuple[float, ...] = ()
    degrees: Annotated[float, Field(ge=0, le=180)] = 15.0

    def apply(self, pixels: UInt8Image, random: np.random.Generator) -> UInt8Image:
        """(H, W, 3) to (H, W, 3); quarter turns of a picture that is not square exchange H and W."""
        if self.angles:
            angle = self.angles[int(random.integers(len(self.angles)))]
        else:
            angle = between((-self.degrees, self.degrees), random)
        if angle % 90 == 0:
            return np.ascontiguousarray(np.rot90(pixels, int(angle // 90)))
        height, width = pixels.shape[:2]
        # wide enough that no corner of the turned square is empty
        reach = int(np.ceil((np.hypot(height, width) - min(height, width)) / 2)) + 1
        rows, columns = (np.clip(np.arange(-reach, side + reach), 0, side - 1) for side in (height, width))
        padded = Image.fromarray(pixels.take(rows, 0).take(columns, 1))  # edges repeated
        cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        x, y = width / 2, height / 2
        # from a place in the result to one in the padded picture, both seen from their centres
        way = (cosine, -sine, x + reach - cosine * x + sine * y, sine, cosine, y + reach - sine * x - cosine * y)
        return np.asarray(padded.transform((width, height), Image.Transform.AFFINE, way, Image.Resampling.BILINEAR))


class Scale(Step):
    """Zoomed around the centre by a factor: above one the middle fills the picture, below one it shrinks in it."""

    kind: Literal["scale"] = "scale"
    factor: Bounds = (0.5, 1.5)

    def apply(self, pixels: UInt8Image, random: np.random.Generator) -> UInt8Image:
        """(H, W, 3) to (H, W, 3)."""
        factor = between(self.factor, random)
        height, width = pixels.shape[:2]
        x, y, half_width, half_height = width / 2, height / 2, width / factor / 2, height / factor / 2
        seen = crop(pixels, Box(x - half_width, y - half_height, x + half_width, y + half_height))
        return resized(seen, width, height, Image.Resampling.BILINEAR)


class Shift(Step):
    """Moved by up to a share of its width and height."""

    kind: Literal["shift"] = "shift"
    share: Share = 0.1

    def apply(self, pixels: UInt8Image, random: np.random.Generator) -> UInt8Image:
        """(H, W, 3) to (H, W, 3)."""
        height, width = pixels.shape[:2]
        right, down = random.uniform(-self.share, self.share, 2) * (width, height)
        left, top = round(float(-right)), round(float(-down))
        return crop(pixels, Box(left, top, left + width, top + height))


class Window(Step):
    """A square-for-square cut: a random window whose sides are this share of the picture's."""

    kind: Literal["window"] = "window"
    side: Bounds = (0.65, 1.0)

    def apply(self, pixels: UInt8Image, random: np.random.Generator) -> UInt8Image:
        """(H, W, 3) to (h, w, 3), both sides the same share of the picture's."""
        side = between(self.side, random)
        height, width = pixels.shape[:2]
        h, w = max(1, round(side * height)), max(1, round(side * width))
        top, left = int(random.integers(height - h + 1)), int(random.integers(width - w + 1))
        return np.ascontiguousarray(pixels[top : top + h, left : left + w])

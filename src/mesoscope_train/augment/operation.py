"""What every operation is, and the few ways in which all of them handle pixels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated

import numpy as np
from PIL import Image
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from mesoscope.types import UInt8Image

Share = Annotated[float, Field(ge=0, le=1)]


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"the first number must not be above the second: {bounds[0]:g}, {bounds[1]:g}")
    return bounds


Bounds = Annotated[tuple[float, float], AfterValidator(_ordered)]
"""Least and greatest value, drawn evenly between."""


class Step(BaseModel, ABC):
    """One operation; the share `p` of pictures is changed.

    Attributes:
        p: probability with which it is applied to a picture.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    p: Share = 1.0

    def __call__(self, pixels: UInt8Image, random: np.random.Generator) -> UInt8Image:
        """Apply it, or not.

        Args:
            pixels: (H, W, 3) uint8 RGB; never changed in place.
            random: source of all chance. The number of draws may differ from picture to picture.

        Returns:
            (h, w, 3) uint8.
        """
        return self.apply(pixels, random) if random.random() < self.p else pixels

    @abstractmethod
    def apply(self, pixels: UInt8Image, random: np.random.Generator) -> UInt8Image:
        """Change the picture; see `__call__`."""


def between(bounds: tuple[float, float], random: np.random.Generator) -> float:
    """A number drawn evenly between the bounds."""
    return float(random.uniform(*bounds))


def resized(pixels: UInt8Image, width: int, height: int, filter: Image.Resampling) -> UInt8Image:
    """The picture at another size; no side becomes less than one pixel."""
    return np.asarray(Image.fromarray(pixels).resize((max(1, width), max(1, height)), filter))

"""Changes of training pictures, and of nothing else: typed operations on uint8 pixels, each drawing its own chance.

An operation is one class in a file of this package with its ``kind`` as its name in recipes, entered in `Operation`.
They are drawn anew for each picture and epoch from (seed, epoch, row), so that a run can be repeated and resumed
whatever the number of workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from mesoscope.types import UInt8Image
from mesoscope_train.augment.blur import Blur, Noise, Resample
from mesoscope_train.augment.colour import Colour
from mesoscope_train.augment.compression import Jpeg, Messenger, WebP, recompressed
from mesoscope_train.augment.geometry import Flip, Rotate, Scale, Shift, Window
from mesoscope_train.augment.operation import Step

__all__ = [
    "Blur",
    "Colour",
    "Flip",
    "Jpeg",
    "Messenger",
    "Noise",
    "OneOf",
    "Operation",
    "Resample",
    "Rotate",
    "Scale",
    "Shift",
    "Step",
    "WebP",
    "Window",
    "augmented",
    "recompressed",
]

Simple = Annotated[
    Flip | Rotate | Scale | Shift | Window | Colour | Blur | Noise | Resample | Jpeg | WebP | Messenger,
    Field(discriminator="kind"),
]


class OneOf(Step):
    """One of several operations, each as likely as the others (their own `p` still holds)."""

    kind: Literal["one-of"] = "one-of"
    of: Annotated[tuple[Simple, ...], Field(min_length=2)]

    def apply(self, pixels: UInt8Image, random: np.random.Generator) -> UInt8Image:
        """As the one that is drawn."""
        return self.of[int(random.integers(len(self.of)))](pixels, random)


Operation = Annotated[
    Flip | Rotate | Scale | Shift | Window | Colour | Blur | Noise | Resample | Jpeg | WebP | Messenger | OneOf,
    Field(discriminator="kind"),
]


def augmented(pixels: UInt8Image, steps: Sequence[Step], random: np.random.Generator) -> UInt8Image:
    """All operations in order.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        steps: may be empty.
        random: the same generator state gives the same picture.

    Returns:
        (h, w, 3) uint8.
    """
    for step in steps:
        pixels = step(pixels, random)
    return pixels

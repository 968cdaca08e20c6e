"""What colours a picture has: means, spreads, saturation, and how much of it is grey, black or white."""

from __future__ import annotations

import numpy as np

from mesoscope.types import UInt8Image
from mesoscope_train.data.audit.measures.sharpness import luminance

_GREY = 8
_DARK, _BRIGHT = 16, 239


def colour_statistics(pixels: UInt8Image) -> dict[str, float]:
    """The columns of `schema.COLOURS`.

    Args:
        pixels: (H, W, 3) uint8 RGB, small: the whole is held as float32.
    """
    # planes of float32: reducing over three interleaved channels takes ten times as long
    planes = {name: pixels[..., index].astype(np.float32) for index, name in enumerate(("red", "green", "blue"))}
    red, green, blue = planes.values()
    high = np.maximum(np.maximum(red, green), blue)
    range_ = high - np.minimum(np.minimum(red, green), blue)
    saturation = range_ / np.maximum(high, 1)
    luma = luminance(pixels)
    return {
        **{f"{name}_mean": float(plane.mean(dtype=np.float64)) for name, plane in planes.items()},
        **{f"{name}_spread": float(plane.std(dtype=np.float64)) for name, plane in planes.items()},
        "saturation_mean": float(saturation.mean(dtype=np.float64)),
        "saturation_spread": float(saturation.std(dtype=np.float64)),
        "grey_share": float(np.mean(range_ <= _GREY)),
        "dark_share": float(np.mean(luma < _DARK)),
        "bright_share": float(np.mean(luma > _BRIGHT)),
    }

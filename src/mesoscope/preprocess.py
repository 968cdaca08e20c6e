"""From a picture and a box to what a network takes. The only place that crops and resizes for a network.

Training, evaluation and `detect` all call `square_around`, `crop` and `to_batch` with the numbers of a
bundle's `Preprocess`, so that a picture cannot be seen in two ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Annotated, Literal

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from mesoscope.types import Box, Float32Array, UInt8Image

ResizeFilter = Literal["nearest", "box", "bilinear", "bicubic", "lanczos"]
_FILTERS: dict[str, Image.Resampling] = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
PositiveFloat = Annotated[float, Field(gt=0)]


class Preprocess(BaseModel):
    """What a network expects; part of a bundle's contract.

    Attributes:
        size: side S of the square input in pixels.
        resize: Pillow's filter, all of which but nearest average over the area when they shrink.
        margin: how much wider than the face's box the square crop is, as a fraction (0.3: 30 % wider).
        channel_order: of the input planes.
        mean, std: per channel, of values scaled to [0, 1], in `channel_order`.
        min_face: faces whose box is narrower or lower than this many pixels get no answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    size: Annotated[int, Field(ge=16, le=2048)]
    resize: ResizeFilter
    margin: Annotated[float, Field(ge=0, le=4)]
    channel_order: Literal["rgb", "bgr"]
    mean: Annotated[list[float], Field(min_length=3, max_length=3)]
    std: Annotated[list[PositiveFloat], Field(min_length=3, max_length=3)]
    min_face: Annotated[int, Field(ge=1)]


def square_around(box: Box, margin: float) -> Box:
    """The square, centred on `box`, whose side is the box's longer side widened by `margin` (a fraction).

    It may reach over the picture's edge; `crop` then repeats the edge pixels.
    """
    side = max(box.width, box.height) * (1 + margin)
    x, y = box.center
    return Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def crop(pixels: UInt8Image, area: Box) -> UInt8Image:
    """Cut `area` out of a picture, rounded to whole pixels; beyond the edge the edge pixels are repeated.

    Args:
        pixels: (H, W, 3) uint8.
        area: in pixels of the picture; may reach over its edge.

    Returns:
        (h, w, 3) uint8, a copy.
    """
    height, width = pixels.shape[:2]
    left, top = round(area.left), round(area.top)
    right, bottom = left + max(1, round(area.width)), top + max(1, round(area.height))
    # an area wholly outside still has a nearest edge to repeat
    inside_left, inside_right = np.clip((left, right - 1), 0, width - 1)
    inside_top, inside_bottom = np.clip((top, bottom - 1), 0, height - 1)
    inside = pixels[inside_top : inside_bottom + 1, inside_left : inside_right + 1]
    missing_rows = bottom - top - inside.shape[0]
    missing_columns = right - left - inside.shape[1]
    if missing_rows == 0 and missing_columns == 0:
        return np.ascontiguousarray(inside)
    above = int(np.clip(-top, 0, missing_rows))
    before = int(np.clip(-left, 0, missing_columns))
    return np.pad(inside, ((above, missing_rows - above), (before, missing_columns - before), (0, 0)), mode="edge")


def to_input(pixels: UInt8Image, spec: Preprocess) -> Float32Array:
    """Resize a crop (or a whole picture) to the network's square and normalise it.

    A picture that is not square is squeezed, as the published MesoNet pipeline does.

    Args:
        pixels: (h, w, 3) uint8 RGB.
        spec: the bundle's.

    Returns:
        (3, S, S) float32.
    """
    side = (spec.size, spec.size)
    image = Image.fromarray(pixels)
    if image.size != side:
        image = image.resize(side, _FILTERS[spec.resize])
    shown = np.asarray(image)
    values: Float32Array = np.empty((3, *side), np.float32)
    for channel, table in enumerate(_tables(tuple(spec.mean), tuple(spec.std))):
        plane = shown[..., channel if spec.channel_order == "rgb" else 2 - channel]
        np.take(table, plane, out=values[channel], mode="clip")  # "clip" only spares a check: uint8 has 256 values
    return values


@cache
def _tables(mean: tuple[float, ...], std: tuple[float, ...]) -> Float32Array:
    """(3, 256) What each value of each channel becomes: looking it up takes half the time of the arithmetic."""
    values = np.arange(256, dtype=np.float32) / np.float32(255)
    tables: Float32Array = (values - np.array(mean, np.float32)[:, None]) / np.array(std, np.float32)[:, None]
    return tables


def to_batch(crops: Sequence[UInt8Image], spec: Preprocess) -> Float32Array:
    """`stack` of `to_input` of each crop: (N, 3, S, S) float32; N may be 0."""
    return stack([to_input(pixels, spec) for pixels in crops], spec)


def stack(inputs: Sequence[Float32Array], spec: Preprocess) -> Float32Array:
    """Inputs (3, S, S) as one batch (N, 3, S, S) float32; N may be 0."""
    return np.stack(inputs) if inputs else np.zeros((0, 3, spec.size, spec.size), np.float32)

"""Small upright pictures of rows, with what to say where a file cannot be read."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from mesoscope.errors import MediaError
from mesoscope.manifest import Manifest
from mesoscope.media import Picture, open_media
from mesoscope.types import UInt8Image

HEIGHT = 240
"""Pixels: twice what the page shows, for dense screens, and enough for 200 dots an inch on paper."""
NARROWEST, WIDEST = 0.5, 2.4
"""Width over height: beyond these a tile has margins."""
_QUALITY = 84


@dataclass(frozen=True, slots=True)
class Tile:
    """One row as a small picture.

    Attributes:
        path, label, group, dataset: as in the manifest; split is None where there is none.
        jpeg: the picture, at most `HEIGHT` high; None where the file cannot be read.
        ratio: width over height of the tile.
        size: width and height of the whole picture in pixels.
        video: whether it is a video's first frame.
        error: why there is no picture.
    """

    path: str
    label: str
    group: str
    dataset: str
    split: str | None
    jpeg: bytes | None
    ratio: float
    size: tuple[int, int]
    video: bool
    error: str | None

    @property
    def caption(self) -> str:
        """What a reader may want to know of it."""
        if self.error is not None:
            return f"{self.path} ({self.label}): {self.error}"
        what = "first frame of a video, " if self.video else ""
        return f"{self.path} ({self.label}, {what}{self.size[0]} × {self.size[1]}, group {self.group})"


def make_tiles(
    manifest: Manifest,
    rows: Sequence[int] | npt.NDArray[np.int64],
    *,
    workers: int = 1,
    progress: Callable[[], None] = lambda: None,
) -> tuple[Tile, ...]:
    """Small pictures of rows, in the rows' order; a file that cannot be read becomes a tile that says why.

    Args:
        manifest: the rows' own.
        rows: indices.
        workers: files that are read at once.
        progress: called after each.
    """
    entries = manifest.take(np.asarray(rows, np.int64)).table.to_pylist()
    with ThreadPoolExecutor(max(1, workers)) as pool:
        tiles = []
        for tile in pool.map(lambda entry: _tile(entry, manifest.file(entry["path"])), entries):
            tiles.append(tile)
            progress()
    return tuple(tiles)


def _tile(entry: dict[str, str | None], file: Path) -> Tile:
    facts = {name: str(entry[name]) for name in ("path", "label", "group", "dataset")}
    split = entry.get("split")
    try:
        pixels, video = first_pixels(file)
    except MediaError as error:
        return Tile(**facts, split=split, jpeg=None, ratio=1.0, size=(0, 0), video=False, error=str(error))
    height, width = pixels.shape[:2]
    ratio = min(max(width / height, NARROWEST), WIDEST)
    jpeg = _jpeg(pixels, ratio, video)
    return Tile(**facts, split=split, jpeg=jpeg, ratio=ratio, size=(width, height), video=video, error=None)


def tile_of(pixels: UInt8Image) -> Tile:
    """Pixels (H, W, 3) that stand in no file as a tile; its names are empty."""
    height, width = pixels.shape[:2]
    ratio = min(max(width / height, NARROWEST), WIDEST)
    return Tile("", "", "", "", None, _jpeg(pixels, ratio, False), ratio, (width, height), video=False, error=None)


def first_pixels(file: Path) -> tuple[UInt8Image, bool]:
    """(H, W, 3) of a picture or of a video's first frame, and whether it was a video.

    Raises:
        MediaError: the file cannot be read.
    """
    media = open_media(file)
    if isinstance(media, Picture):
        return media.pixels, False
    for frame in media.frames():
        return frame.pixels, True
    raise MediaError("No frame of the video can be decoded.")


def _jpeg(pixels: UInt8Image, ratio: float, video: bool) -> bytes:
    image = Image.fromarray(pixels)
    image.thumbnail((round(HEIGHT * ratio), HEIGHT), Image.Resampling.LANCZOS)
    if video:
        _mark_as_video(image)
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=_QUALITY)
    return encoded.getvalue()


def _mark_as_video(image: Image.Image) -> None:
    """The sign of a play button in the lower left corner."""
    size = max(14, round(min(image.size) * 0.2))
    left, top = size // 3, image.height - size - size // 3
    draw = ImageDraw.Draw(image, "RGBA")
    draw.ellipse((left, top, left + size, top + size), fill=(16, 20, 24, 190), outline=(255, 255, 255, 230), width=2)
    middle, third = top + size / 2, size * 0.2
    start = left + size * 0.38
    draw.polygon(
        ((start, middle - third * 1.1), (start, middle + third * 1.1), (start + third * 1.9, middle)), fill="white"
    )

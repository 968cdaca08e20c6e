"""Decoded pictures kept in one file, so that each is decoded once however many epochs and processes read it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from mesoscope.atomic import explained, make_directory, replacing
from mesoscope.errors import MediaError
from mesoscope.media import open_media
from mesoscope.media.picture import Picture
from mesoscope.types import UInt8Image

ROOM = 0.5
"""A cache may take this share of what is free on its disk; a larger set is decoded again each time."""
_AHEAD = 256


def decoded(file: Path) -> UInt8Image:
    """A picture, upright, (H, W, 3) uint8; of a video its first frame.

    Raises:
        MediaError: the file cannot be read; the message names it.
    """
    try:
        media = open_media(file)
        if isinstance(media, Picture):
            return media.pixels
        return next(iter(media.sample(frames=1))).pixels
    except MediaError as error:
        raise MediaError(f"{file}: {error}") from error
    except StopIteration:
        raise MediaError(f"{file}: the video has no frame") from None


@dataclass(frozen=True)
class PixelFile:
    """Pictures behind each other in one memory-mapped file; processes share its pages.

    Attributes:
        path: the file of raw bytes.
        offsets: (N + 1,) int64.
        shapes: (N, 2) int64, heights and widths.
    """

    path: Path
    offsets: np.ndarray[Any, np.dtype[np.int64]]
    shapes: np.ndarray[Any, np.dtype[np.int64]]

    def __getitem__(self, row: int) -> UInt8Image:
        start, end = self.offsets[row], self.offsets[row + 1]
        height, width = self.shapes[row]
        # mapped anew each time: a map that is kept would be copied into every worker that is spawned
        pixels = np.memmap(self.path, np.uint8, "r", int(start), (int(height), int(width), 3))
        assert pixels.size == end - start  # noqa: S101 - written together
        return np.asarray(pixels)


def cache_directory() -> Path:
    """Where decoded pictures are kept: ``$MESOSCOPE_HOME/cache``, or the platform's cache directory."""
    home = os.environ.get("MESOSCOPE_HOME")
    return (
        Path(home) / "cache" if home else Path(platformdirs.user_cache_dir("mesoscope", appauthor=False))
    ) / "pixels"


def pixel_file(files: Sequence[Path], directory: Path, step: Callable[[], None] = lambda: None) -> PixelFile | None:
    """Decode all pictures into one file, or find the one that an earlier run made; None where there is no room.

    Args:
        files: in row order; a changed file (size or time) makes a new cache.
        directory: of the caches; made where it is missing.
        step: called for each picture.

    Raises:
        MediaError: a picture cannot be read.
    """
    key = _key(files)
    raw, index = directory / f"{key}.pixels", directory / f"{key}.json"
    if not index.is_file():
        make_directory(directory)
        try:
            _write(files, raw, index, step)
        except _NoRoom:
            return None
    facts = json.loads(index.read_text(encoding="utf-8"))
    shapes = np.array(facts["shapes"], np.int64).reshape(-1, 2)
    offsets = np.concatenate([[0], np.cumsum(shapes.prod(1) * 3)]).astype(np.int64)
    return PixelFile(raw, offsets, shapes)


class _NoRoom(Exception):
    """The disk is too small for a cache."""


def _write(files: Sequence[Path], raw: Path, index: Path, step: Callable[[], None]) -> None:
    room = shutil.disk_usage(raw.parent).free * ROOM
    shapes: list[tuple[int, int]] = []
    written = 0
    with replacing(raw) as partial, explained(raw), partial.open("wb") as out, ThreadPoolExecutor() as pool:
        for start in range(0, len(files), _AHEAD):
            for pixels in pool.map(decoded, files[start : start + _AHEAD]):
                written += pixels.size
                if written > room:
                    raise _NoRoom
                out.write(np.ascontiguousarray(pixels).data)
                shapes.append((pixels.shape[0], pixels.shape[1]))
                step()
    with replacing(index) as partial, explained(index):
        partial.write_text(json.dumps({"shapes": shapes}), encoding="utf-8")


def _key(files: Sequence[Path]) -> str:
    sha = hashlib.sha256()
    for file in files:
        try:
            status = file.stat()
        except OSError as error:
            raise MediaError(f"{file}: the file cannot be read: {error.strerror}") from error
        sha.update(f"{file.resolve()}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return sha.hexdigest()[:32]

"""Batches of pairs: a real face and a fake one, where possible of the very same frame, augmented alike.

What is alike in both (person, light, camera, compression, and here also the augmentation) cannot tell the
label, so that only what the manipulation did is left to be learned.
"""

from __future__ import annotations

import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from mesoscope.media import open_picture
from mesoscope.preprocess import Preprocess, to_input
from mesoscope.types import Float32Array, UInt8Image
from mesoscope_train.face_bundle.rows import Row

PAIRS_OF_MESONET = 600
"""Pairs an epoch from ``mesonet-faces``, whose frames are many but of few videos."""

Pair = tuple[Row, Row]


class Pictures:
    """All pictures of a run, decoded once by the product's own reader and kept as uint8.

    Args:
        data: the data directory.
        rows: which.
        longest: pictures are shrunk to this longest side, in pixels.
    """

    def __init__(self, data: Path, rows: Sequence[Row], longest: int = 224) -> None:
        def read(row: Row) -> UInt8Image:
            image = Image.fromarray(open_picture(data / row.path).pixels)
            if max(image.size) > longest:
                image = image.resize((longest, longest), Image.Resampling.BILINEAR)
            return np.asarray(image)

        with ThreadPoolExecutor(2) as pool:
            self._pixels = dict(zip((row.path for row in rows), pool.map(read, rows), strict=True))

    def __getitem__(self, row: Row) -> UInt8Image:
        return self._pixels[row.path]


def pairs_of_epoch(rows: Sequence[Row], random: np.random.Generator) -> list[Pair]:
    """(real, fake) pairs of one epoch, shuffled: same-frame pairs first of all, then leftovers and MesoNet's."""
    by_group: dict[str, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
    mesonet: tuple[list[Row], list[Row]] = ([], [])
    for row in rows:
        side = int(row.is_fake)
        (mesonet if row.dataset == "mesonet-faces" else by_group[row.group])[side].append(row)
    pairs: list[Pair] = []
    alone: tuple[list[Row], list[Row]] = ([], [])
    for real, fake in by_group.values():
        if real and fake:
            pairs.append((_any(real, random), _any(fake, random)))
        else:
            alone[0].extend(real)
            alone[1].extend(fake)
    shuffled = [[side[index] for index in random.permutation(len(side))] for side in alone]
    pairs.extend(zip(*shuffled, strict=False))
    if all(mesonet):
        pairs.extend((_any(mesonet[0], random), _any(mesonet[1], random)) for _ in range(PAIRS_OF_MESONET))
    return [pairs[index] for index in random.permutation(len(pairs))]


def _any(rows: Sequence[Row], random: np.random.Generator) -> Row:
    return rows[int(random.integers(len(rows)))]


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How much training pictures are changed, both of a pair alike but for colour, half of the time.

    Attributes:
        smallest_window: of the random square window, as a share of the picture's side.
        jpeg: share of pairs that are compressed again, with a quality from 40 to 95.
        blur: share of pairs that are shrunk to 50 to 100 % and enlarged again.
        brightness, contrast, saturation, tint: largest change of each.
    """

    smallest_window: float = 0.65
    jpeg: float = 0.3
    blur: float = 0.1
    brightness: float = 0.12
    contrast: float = 0.2
    saturation: float = 0.35
    tint: float = 0.06


def augmented_pair(
    real: UInt8Image, fake: UInt8Image, spec: Preprocess, how: Augmentation, random: np.random.Generator
) -> tuple[Float32Array, Float32Array]:
    """Both pictures through one random window, flip and recompression, and the product's own `to_input`."""
    side = random.uniform(how.smallest_window, 1.0)
    left, top = random.uniform(0, 1 - side, 2)
    flip = random.random() < 0.5
    chance = random.random()
    quality = int(random.integers(40, 96)) if chance < how.jpeg else None
    shrunk = int(random.integers(spec.size // 2, spec.size)) if how.jpeg <= chance < how.jpeg + how.blur else None
    colour = _colour(how, random)
    other = _colour(how, random) if random.random() < 0.5 else colour

    def one(pixels: UInt8Image, matrix: tuple[float, ...]) -> Float32Array:
        height, width = pixels.shape[:2]
        window = (left * width, top * height, (left + side) * width, (top + side) * height)
        image = Image.fromarray(pixels).resize((spec.size, spec.size), Image.Resampling.BILINEAR, box=window)
        if shrunk is not None:
            image = image.resize((shrunk, shrunk), Image.Resampling.BILINEAR)
            image = image.resize((spec.size, spec.size), Image.Resampling.BICUBIC)
        if flip:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if quality is not None:
            buffer = io.BytesIO()
            image.save(buffer, "JPEG", quality=quality)
            image = Image.open(buffer)
        return to_input(np.asarray(image.convert("RGB", matrix)), spec)

    return one(real, colour), one(fake, other)


def _colour(how: Augmentation, random: np.random.Generator) -> tuple[float, ...]:
    """Saturation, contrast, brightness and tint as one 3 x 4 matrix on RGB, as Pillow's `convert` takes it."""
    brightness = random.uniform(-how.brightness, how.brightness) * 255
    contrast = 1 + random.uniform(-how.contrast, how.contrast)
    saturation = 1 + random.uniform(-how.saturation, how.saturation)
    tint = 1 + random.uniform(-how.tint, how.tint, 3)
    mixed = contrast * (saturation * np.eye(3) + (1 - saturation) / 3)
    # contrast turns around the middle grey
    offset = np.full((3, 1), brightness + (1 - contrast) * 127.5)
    return tuple((np.hstack([mixed, offset]) * tint[:, None]).ravel().tolist())


def batches(
    pictures: Pictures,
    rows: Sequence[Row],
    spec: Preprocess,
    *,
    pairs_per_batch: int,
    how: Augmentation,
    random: np.random.Generator,
) -> Iterator[Float32Array]:
    """One epoch of (2P, 3, S, S) float32 batches; even places are real, odd ones fake. The rest is dropped."""
    pairs = pairs_of_epoch(rows, random)
    for start in range(0, len(pairs) - pairs_per_batch + 1, pairs_per_batch):
        inputs: list[Float32Array] = []
        for real, fake in pairs[start : start + pairs_per_batch]:
            inputs.extend(augmented_pair(pictures[real], pictures[fake], spec, how, random))
        yield np.stack(inputs)

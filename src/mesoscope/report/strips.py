"""Strips of a video's frames: each face with its map, its second and its score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from mesoscope.explain import MapScale, blend_maps
from mesoscope.explain.findings import Shot
from mesoscope.explain.marks import font
from mesoscope.types import Box, UInt8Image

STRIP = 8
"""Frames a row."""
MOST_SHOTS = 64


def tile(shot: Shot, scale: MapScale | None, *, decided: bool) -> UInt8Image:
    """One frame's face with its map, and below it second and score."""
    side = 160
    face = np.asarray(Image.fromarray(shot.pixels).resize((side, side), Image.Resampling.LANCZOS))
    drawn = blend_maps(face, [(Box(0, 0, side, side), shot.map)], scale) if scale else face
    image = Image.new("RGB", (side, side + 22), "#ffffff")
    image.paste(Image.fromarray(drawn), (0, 0))
    draw = ImageDraw.Draw(image)
    if decided:
        draw.rectangle((0, 0, side - 1, side - 1), outline="#101418", width=7)
        draw.rectangle((2, 2, side - 3, side - 3), outline="#ffd84a", width=3)
    words = f"{shot.time:.1f} s · {shot.probability:.2f}"
    draw.text((side / 2, side + 11), words, fill="#20242a", font=font(16), anchor="mm")
    return np.asarray(image)


def rows(groups: Sequence[Sequence[UInt8Image]]) -> UInt8Image:
    """Tiles beside each other, those of a group close together; always the width of a full row."""
    tiles = [
        np.hstack([np.pad(tile, ((0, 0), (0, 2), (0, 0)), constant_values=255) for tile in group]) for group in groups
    ]
    row = np.hstack([np.pad(tile, ((0, 0), (0, 6), (0, 0)), constant_values=255) for tile in tiles])
    size = len(groups[0])
    full = (STRIP // size) * (size * 162 + 6)
    return np.pad(row, ((0, 0), (0, max(0, full - row.shape[1])), (0, 0)), constant_values=255)


def evenly(shots: Sequence[Shot], decided: Sequence[int]) -> list[Shot]:
    """At most `MOST_SHOTS`, those that decided among them, in time order."""
    if len(shots) <= MOST_SHOTS:
        return list(shots)
    kept = {int(place) for place in np.linspace(0, len(shots) - 1, MOST_SHOTS - len(decided))}
    kept |= {place for place, shot in enumerate(shots) if shot.frame in decided}
    return [shots[place] for place in sorted(kept)]


def paired(first: Sequence[Shot], second: Sequence[Shot]) -> list[tuple[Shot, Shot]]:
    """Frames of two videos at the same time, within half the distance of the first one's frames."""
    if len(first) < 2 or not second:
        return list(zip(first[:1], second[:1], strict=False))
    near = (first[-1].time - first[0].time) / (len(first) - 1) / 2
    pairs = [(shot, min(second, key=lambda other: abs(other.time - shot.time))) for shot in first]
    return [(shot, other) for shot, other in pairs if abs(shot.time - other.time) <= near]

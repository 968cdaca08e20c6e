"""Boxes with labels, placed so that they can be read: inside the picture, and apart where there is room."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mesoscope.types import Box, Outcome, UInt8Image

OUTCOME_WORDS: dict[Outcome, str] = {
    Outcome.FAKE: "likely fake",
    Outcome.REAL: "likely real",
    Outcome.INCONCLUSIVE: "inconclusive",
    Outcome.NOT_APPLICABLE: "no answer",
    Outcome.ERROR: "error",
}
"""What stands on labels; colour is never the only carrier."""
OUTCOME_COLOURS: dict[Outcome, str] = {
    Outcome.FAKE: "#b93a0e",
    Outcome.REAL: "#1b66ad",
    Outcome.INCONCLUSIVE: "#efc42e",
    Outcome.NOT_APPLICABLE: "#5d6570",
    Outcome.ERROR: "#3a3f47",
}
"""Colour-blind safe: they differ in lightness where they come near in hue."""
_DARK_TEXT = frozenset({OUTCOME_COLOURS[Outcome.INCONCLUSIVE]})
_LEVEL_COST, _ORDER_COST, _OWN_COST, _OTHER_COST, _LABEL_COST = 3.0, 0.2, 2.0, 8.0, 200.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A box to draw.

    Attributes:
        box: in pixels of the picture drawn on; may reach over its edge.
        colour: ``#rrggbb``.
        texts: the label, from its longest form to its shortest; where there is no room the next is taken.
    """

    box: Box
    colour: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """A label that found its place; `area` lies inside the picture."""

    area: Box
    text: str
    colour: str


def draw_marks(pixels: UInt8Image, marks: Sequence[Mark]) -> UInt8Image:
    """Draw boxes and labels on a copy of a picture.

    Args:
        pixels: (H, W, 3) uint8 RGB.
        marks: those first in the sequence choose their label's place first and lie on top.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    if not marks:
        return pixels.copy()
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    size = label_size(image.width, image.height)
    line = max(2, round(size / 7))
    for mark in reversed(marks):
        _draw_box(draw, mark, line)
    for label in place_labels(marks, image.width, image.height, size, line):
        _draw_label(draw, label, size)
    return np.asarray(image)


def label_size(width: int, height: int) -> int:
    """Height of the label's letters for a picture, in pixels: readable on a 200 px crop and on a 4000 px photo."""
    return max(11, min(96, round(math.sqrt(width * height) / 38)))


@lru_cache(maxsize=8)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's built-in font (Aileron, CC0)."""
    return cast(ImageFont.FreeTypeFont, ImageFont.load_default(size))


def _draw_box(draw: ImageDraw.ImageDraw, mark: Mark, line: int) -> None:
    box = mark.box
    corners = (round(box.left), round(box.top), max(round(box.left) + 1, round(box.right) - 1))
    left, top, right = corners
    bottom = max(top + 1, round(box.bottom) - 1)
    # a dark line outside and a light one inside keep the box visible on any ground
    draw.rectangle((left - line, top - line, right + line, bottom + line), outline="#101418", width=1)
    draw.rectangle(
        (left - line + 1, top - line + 1, right + line - 1, bottom + line - 1), outline=mark.colour, width=line
    )
    if right - left > 4 and bottom - top > 4:
        draw.rectangle((left + 1, top + 1, right - 1, bottom - 1), outline="#ffffff", width=1)


def _draw_label(draw: ImageDraw.ImageDraw, label: Label, size: int) -> None:
    area = label.area
    draw.rectangle(
        (area.left, area.top, area.right - 1, area.bottom - 1), fill=label.colour, outline="#101418", width=1
    )
    ink = "#101418" if label.colour in _DARK_TEXT else "#ffffff"
    draw.text(
        ((area.left + area.right) / 2, (area.top + area.bottom) / 2),
        label.text,
        fill=ink,
        font=font(size),
        anchor="mm",
    )


def place_labels(marks: Sequence[Mark], width: int, height: int, size: int, line: int) -> list[Label]:
    """Where each mark's label goes: the cheapest of twelve places and of the label's forms.

    Dearest is to cover another label, then another box, then its own; then a shorter form of the text.

    Args:
        marks: in the order in which they may choose.
        width: of the picture, in pixels.
        height: of the picture, in pixels.
        size: of the letters, in pixels.
        line: width of the boxes' lines.
    """
    placed: list[Label] = []
    for mark in marks:
        others = [other.box for other in marks if other is not mark]
        taken = [label.area for label in placed]
        options = (
            (_cost(area, mark.box, others, taken) + _LEVEL_COST * level + _ORDER_COST * order, level, area)
            for level, text in enumerate(mark.texts)
            for order, area in enumerate(_places(mark.box, _extent(text, size), width, height, line + 1))
        )
        best = min(options, key=lambda option: option[0], default=None)
        if best is not None:
            placed.append(Label(best[2], mark.texts[best[1]], mark.colour))
    return placed


def _extent(text: str, size: int) -> tuple[int, int]:
    left, _, right, _ = font(size).getbbox(text)
    return math.ceil(right - left) + round(0.7 * size), round(1.45 * size)


def _places(box: Box, extent: tuple[int, int], width: int, height: int, gap: int) -> Iterator[Box]:
    """Above, below, beside and inside a box, each moved into the picture; the best liked first."""
    wide, high = extent
    middle = (box.left + box.right - wide) / 2
    corners = (
        (box.left - gap, box.top - gap - high),
        (middle, box.top - gap - high),
        (box.right + gap - wide, box.top - gap - high),
        (box.left - gap, box.bottom + gap),
        (middle, box.bottom + gap),
        (box.right + gap - wide, box.bottom + gap),
        (box.right + gap, box.top),
        (box.left - gap - wide, box.top),
        (box.right + gap, box.bottom - high),
        (box.left - gap - wide, box.bottom - high),
        (box.left + 2, box.top + 2),
        (box.left + 2, box.bottom - high - 2),
    )
    for left, top in corners:
        inside_left = round(max(0.0, min(left, width - wide)))
        inside_top = round(max(0.0, min(top, height - high)))
        yield Box(inside_left, inside_top, inside_left + wide, inside_top + high)


def _cost(area: Box, own: Box, others: Sequence[Box], labels: Sequence[Box]) -> float:
    cost = _OWN_COST * _covered(area, own)
    cost += _OTHER_COST * sum(_covered(area, other) for other in others)
    return cost + _LABEL_COST * sum(_covered(area, label) for label in labels)


def _covered(area: Box, by: Box) -> float:
    """The share of `area` that lies on `by`."""
    width = min(area.right, by.right) - max(area.left, by.left)
    height = min(area.bottom, by.bottom) - max(area.top, by.top)
    return max(0.0, width) * max(0.0, height) / area.area

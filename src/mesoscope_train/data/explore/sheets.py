"""Contact sheets: tiles in rows of equal width, every picture whole, so that framing can be seen too."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from mesoscope.atomic import explained, replacing
from mesoscope_train.data.explore.tiles import Tile
from mesoscope_train.figures import GROUND, WIDTHS
from mesoscope_train.figures.saving import DPI

PER_ROW = 8.0
"""Square tiles in a row."""
_GAP = 6
_EMPTY, _EMPTY_INK = "#e8ebef", "#59616c"


def in_rows(tiles: Sequence[Tile], per_row: float = PER_ROW) -> tuple[tuple[tuple[Tile, ...], float], ...]:
    """Tiles broken into rows that are about equally wide at one height.

    Args:
        tiles: in order.
        per_row: about the sum of width over height that a row should have.

    Returns:
        for each row its tiles, and the width over height that is left empty behind them: where one row is not full.
    """
    total = sum(tile.ratio for tile in tiles)
    count = max(1, round(total / per_row))
    rows: list[tuple[Tile, ...]] = []
    left, filled = total, 0.0
    row: list[Tile] = []
    for tile in tiles:
        wanted = left / (count - len(rows))
        if row and len(rows) < count - 1 and abs(filled + tile.ratio - wanted) > abs(filled - wanted):
            rows.append(tuple(row))
            left, filled, row = left - filled, 0.0, []
        row.append(tile)
        filled += tile.ratio
    rows.append(tuple(row))
    return tuple((row, max(0.0, per_row - total) if count == 1 else 0.0) for row in rows)


def draw_sheet(tiles: Sequence[Tile], per_row: float = PER_ROW) -> Image.Image:
    """A contact sheet, as wide as a paper's page at 200 dots an inch.

    Args:
        tiles: at least one.
        per_row: as `in_rows`.
    """
    width = round(WIDTHS["page"] * DPI)
    strips = [_strip(row, spare, width) for row, spare in in_rows(tiles, per_row)]
    sheet = Image.new("RGB", (width, sum(strip.height for strip in strips) + _GAP * (len(strips) - 1)), GROUND)
    top = 0
    for strip in strips:
        sheet.paste(strip, (0, top))
        top += strip.height + _GAP
    return sheet


def save_sheet(sheet: Image.Image, path: Path) -> None:
    """Write a sheet as PNG; whole or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    encoded = io.BytesIO()
    sheet.save(encoded, "PNG", dpi=(DPI, DPI), optimize=True)
    with replacing(path) as partial, explained(path):
        partial.write_bytes(encoded.getbuffer())


def fitted(tile: Tile, width: int, height: int) -> Image.Image:
    """A tile's picture at this size, whole; an unreadable one as a grey field that says so."""
    field = Image.new("RGB", (width, height), _EMPTY)
    if tile.jpeg is None:
        draw = ImageDraw.Draw(field)
        draw.rectangle((0, 0, width - 1, height - 1), outline=_EMPTY_INK)
        draw.multiline_text(
            (width / 2, height / 2), "cannot\nbe read", fill=_EMPTY_INK, anchor="mm", align="center",
            font=ImageFont.load_default(max(10, height / 9)),
        )  # fmt: skip
        return field
    picture = Image.open(io.BytesIO(tile.jpeg))
    scale = min(width / picture.width, height / picture.height)
    size = (min(width, round(picture.width * scale)), min(height, round(picture.height * scale)))
    # a rounding error is no margin
    size = (width if width - size[0] <= 2 else size[0], height if height - size[1] <= 2 else size[1])
    field.paste(picture.resize(size, Image.Resampling.LANCZOS), ((width - size[0]) // 2, (height - size[1]) // 2))
    return field


def _strip(row: Sequence[Tile], spare: float, width: int) -> Image.Image:
    """One row at the height at which it fills the width."""
    ratios = sum(tile.ratio for tile in row) + spare
    height = round((width - _GAP * (len(row) - 1)) / ratios)
    strip = Image.new("RGB", (width, height), GROUND)
    left = 0.0
    for tile in row:
        right = left + tile.ratio * height
        strip.paste(fitted(tile, round(right) - round(left), height), (round(left), 0))
        left = right + _GAP
    return strip

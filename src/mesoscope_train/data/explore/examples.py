"""A finding's examples as pictures side by side, so that a person can judge the judge."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image, ImageDraw, ImageFont

from mesoscope.manifest import Manifest
from mesoscope.report.words import plural, visible
from mesoscope_train.data.audit.findings import Audit, Finding, Severity
from mesoscope_train.data.explore.content import Case, Level, Shown
from mesoscope_train.data.explore.sheets import fitted, save_sheet
from mesoscope_train.data.explore.tiles import Tile, make_tiles
from mesoscope_train.data.explore.verdict import sentence
from mesoscope_train.figures import GROUND, INK, LABEL_COLOURS, WIDTHS
from mesoscope_train.figures.saving import DPI

MOST_CASES, MOST_TILES = 6, 4
_LEVELS: dict[Severity, Level] = {"leak": "leak", "warning": "warning", "note": "note"}
_NAMED = ("group", "identity", "source_identity", "source_video")
"""Columns whose values an example may name in place of a path."""
_HEIGHT, _BAR, _GAP, _LETTER = 210, 7, 30, 34


def show_findings(manifest: Manifest, audit: Audit, *, workers: int = 1) -> tuple[Shown, ...]:
    """The findings that have examples, in the audit's order, with the pictures of the first few.

    Args:
        manifest: what was audited.
        audit: of it.
        workers: files that are read at once.
    """
    with_examples = [finding for finding in audit.findings if finding.examples]
    return tuple(_shown(manifest, finding, place, workers) for place, finding in enumerate(with_examples, 1))


def _shown(manifest: Manifest, finding: Finding, place: int, workers: int) -> Shown:
    cases = tuple(_case(manifest, example, workers) for example in finding.examples[:MOST_CASES])
    return Shown(
        f"finding-{place}-{finding.kind}",
        finding.kind.replace("-", " "),
        _LEVELS[finding.severity],
        sentence(finding.message),
        cases,
        max(0, finding.count - len(cases)),
    )


def _case(manifest: Manifest, example: Sequence[str], workers: int) -> Case:
    """An example: its paths as pictures; where it has none, pictures of what it names."""
    paths = [row for name in example if (row := _row_of(manifest, name)) is not None]
    words = [visible(name) for name in example if _row_of(manifest, name) is None]
    rows = list(dict.fromkeys(paths or [row for name in example for row in _rows_named(manifest, name)]))
    if len(rows) > MOST_TILES:
        words.append(f"and {plural(len(rows) - MOST_TILES, 'more picture', 'more pictures')}")
    return Case(make_tiles(manifest, rows[:MOST_TILES], workers=workers), tuple(words))


def _row_of(manifest: Manifest, path: str) -> int | None:
    row = int(pc.index(manifest.table.column("path"), pa.scalar(path)).as_py())
    return row if row >= 0 else None


def _rows_named(manifest: Manifest, name: str) -> list[int]:
    """Of a group or a person, one row in each split and label."""
    for column in _NAMED:
        if column in manifest:
            equal = pc.fill_null(pc.equal(manifest.table.column(column), name), False)
            rows = np.flatnonzero(equal.to_numpy())
            if len(rows):
                return _one_of_each(manifest, rows)
    return []


def _one_of_each(manifest: Manifest, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> list[int]:
    names = [name for name in ("split", "label") if name in manifest]
    parts = manifest.take(rows).table.select(names).to_pylist()
    first: dict[tuple[str, ...], int] = {}
    for row, part in zip(rows, parts, strict=True):
        first.setdefault(tuple(str(part[name]) for name in names), int(row))
    return [*first.values()]


def letter(place: int) -> str:
    """``a``, ``b`` … for the cases of a finding."""
    return chr(ord("a") + place)


def save_cases(cases: Sequence[Case], path: Path) -> None:
    """Write the cases as one PNG: pictures that belong together touch, a bar below each tells its label by colour.

    Cases without pictures are left out; where none has any, nothing is written.

    Raises:
        UsageError: the file cannot be written.
    """
    strips = [_strip(case, letter(place)) for place, case in enumerate(cases) if case.tiles]
    if not strips:
        return
    width = max(round(WIDTHS["page"] * DPI), *(strip.width for strip in strips))
    places, left, top = [], 0, 0
    for strip in strips:
        if left and left + strip.width > width:
            left, top = 0, top + strip.height + _GAP
        places.append((left, top))
        left += strip.width + _GAP
    sheet = Image.new("RGB", (width, top + strips[0].height), GROUND)
    for strip, place in zip(strips, places, strict=True):
        sheet.paste(strip, place)
    save_sheet(sheet, path)


def _strip(case: Case, name: str) -> Image.Image:
    widths = [round(tile.ratio * _HEIGHT) for tile in case.tiles]
    strip = Image.new("RGB", (_LETTER + sum(widths) + 3 * (len(widths) - 1), _HEIGHT + _BAR + 3), GROUND)
    draw = ImageDraw.Draw(strip)
    draw.text((0, 0), f"({name})", fill=INK, font=ImageFont.load_default(21))
    left = _LETTER
    for tile, width in zip(case.tiles, widths, strict=True):
        strip.paste(fitted(tile, width, _HEIGHT), (left, 0))
        draw.rectangle((left, _HEIGHT + 3, left + width - 1, _HEIGHT + _BAR + 2), fill=LABEL_COLOURS[tile.label])
        left += width + 3
    return strip


def tile_words(tile: Tile) -> str:
    """What stands below a tile: label, split, and why it cannot be seen."""
    words = [tile.label, *([tile.split] if tile.split else [])]
    return ", ".join(words) + (f": {visible(tile.error)}" if tile.error else "")

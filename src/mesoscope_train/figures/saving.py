"""Writing figures as PNG, SVG and PDF. The same figure gives the same bytes."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import matplotlib
from matplotlib.figure import Figure

from mesoscope.atomic import explained, replacing
from mesoscope.errors import UsageError
from mesoscope_train.figures.style import house_style

DPI = 200
FORMATS: Mapping[str, Mapping[str, Any]] = {
    ".png": {"Software": "mesoscope"},
    ".svg": {"Date": None, "Creator": "mesoscope"},
    ".pdf": {"CreationDate": None, "Creator": "mesoscope"},
}
"""File suffix to the facts written into the file: no dates, so that a figure made again is the same file."""


def save(figure: Figure, path: Path) -> None:
    """Write a figure as the suffix says (`FORMATS`), PNG with 200 dots an inch; whole or not at all.

    Raises:
        UsageError: another suffix, or the file cannot be written.
    """
    if path.suffix.lower() not in FORMATS:
        raise UsageError(f"cannot write {path} as a figure; its name must end in {', '.join(FORMATS)}")
    content = rendered(figure, path.suffix.lower())
    with replacing(path) as partial, explained(path):
        partial.write_bytes(content)


def rendered(figure: Figure, suffix: str, letters: Literal["path", "none"] = "path") -> bytes:
    """The bytes of a figure's file.

    Args:
        figure: drawn in the house style.
        suffix: one of `FORMATS`.
        letters: in SVG, shapes that look the same everywhere (``path``), or text (``none``).
    """
    buffer = io.BytesIO()
    with house_style(), matplotlib.rc_context({"svg.fonttype": letters}), _missing_glyphs_accepted():
        figure.savefig(buffer, format=suffix.lstrip("."), dpi=DPI, metadata=dict(FORMATS[suffix]))
    return buffer.getvalue()


@contextmanager
def _missing_glyphs_accepted() -> Iterator[None]:
    """Letters that the font lacks become boxes: nothing a user could do, so nothing is said."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        yield

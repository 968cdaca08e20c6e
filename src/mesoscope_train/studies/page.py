"""A study's page: one HTML file that needs nothing else, in the look of the reports; no script runs in it."""

from __future__ import annotations

import base64
import io
import os
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment
from PIL import Image

from mesoscope.atomic import explained, replacing
from mesoscope.report.template_setup import environment_of
from mesoscope_train.studies.content import Page, Shown

_WIDEST = 1800
"""Pixels: wider figures are shrunk for the page; the files themselves stay as they are."""
_STRIP, _GAP = 400, 12
"""Height of pictures side by side, and what lies between, in pixels."""


def write_page(page: Page, path: Path) -> None:
    """Write the page; whole or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    text = _environment().get_template("study.html.j2").render(page=page, here=path.parent)
    with replacing(path) as partial, explained(path):
        partial.write_text(text, encoding="utf-8", newline="\n")


def _small_png(path: Path) -> bytes:
    """A figure as PNG, at most `_WIDEST` pixels wide."""
    with Image.open(path) as image:
        if image.width <= _WIDEST:
            return path.read_bytes()
        shrunk = image.convert("RGB").resize((_WIDEST, round(image.height * _WIDEST / image.width)))
    buffer = io.BytesIO()
    shrunk.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def picture_of(shown: Shown) -> bytes:
    """A figure's PNG, or that of several pictures side by side, all of one height."""
    if not shown.strip:
        return _small_png(shown.path)
    pictures = []
    for path in shown.strip:
        with Image.open(path) as image:
            pictures.append(image.convert("RGB").resize((round(image.width * _STRIP / image.height), _STRIP)))
    canvas = Image.new("RGB", (sum(picture.width + _GAP for picture in pictures) - _GAP, _STRIP), "white")
    left = 0
    for picture in pictures:
        canvas.paste(picture, (left, 0))
        left += picture.width + _GAP
    buffer = io.BytesIO()
    canvas.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = environment_of("mesoscope_train.studies", "mesoscope_train.data.explore")
    environment.filters["data_uri"] = _data_uri
    environment.globals["relative"] = lambda shown, here: Path(os.path.relpath(shown.path, here)).as_posix()
    return environment


def _data_uri(shown: Shown) -> str:
    return "data:image/png;base64," + base64.b64encode(picture_of(shown)).decode("ascii")

"""The page: one HTML file that needs nothing else, in the look of the reports; no script runs in it."""

from __future__ import annotations

import base64
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from mesoscope.atomic import explained, replacing
from mesoscope.report.template_setup import environment_of
from mesoscope.report.words import visible
from mesoscope_train.data.explore.content import Chart, Page
from mesoscope_train.data.explore.examples import letter, tile_words
from mesoscope_train.data.explore.sheets import in_rows
from mesoscope_train.data.explore.tiles import Tile
from mesoscope_train.figures import themed_svg

TABLE_ROWS_SHOWN = 12
"""A longer table is folded away under its title."""


def write_page(page: Page, path: Path) -> None:
    """Write the page, piece by piece; whole or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    pieces = _environment().get_template("explore.html.j2").stream(page=page, rows_shown=TABLE_ROWS_SHOWN)
    pieces.enable_buffering(64)
    with replacing(path) as partial, explained(path), partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(pieces)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = environment_of("mesoscope_train.data.explore")
    environment.filters["svg"] = _svg
    environment.filters["data_uri"] = _data_uri
    environment.filters["in_rows"] = in_rows
    environment.filters["tile_words"] = tile_words
    environment.filters["letter"] = letter
    return environment


def _svg(chart: Chart) -> Markup:
    return Markup(themed_svg(chart.figure, chart.name, visible(chart.caption)))  # noqa: S704 - a serialiser escaped its texts


def _data_uri(tile: Tile) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(tile.jpeg or b"").decode("ascii")

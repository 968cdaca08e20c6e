"""One HTML page that needs nothing else, its figures as PNG beside it, and its numbers as JSON or NPZ."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from jinja2 import Environment
from matplotlib.figure import Figure

import mesoscope
from mesoscope.atomic import explained, make_directory, replacing
from mesoscope.report.template_setup import environment_of
from mesoscope_train.figures.saving import rendered

INDEX, FIGURES = "index.html", "figures"


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure on the page.

    Attributes:
        name: of its file, without suffix; letters, digits, hyphens, underscores.
        figure: in the house style.
        caption: what it shows, in a sentence or two; the first is also what is read out where it cannot be seen.
        pdf: whether it is written as PDF too.
    """

    name: str
    figure: Figure
    caption: str
    pdf: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under a head; all columns but the first `names` are set as numbers."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    names: int = 1
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page under one heading.

    Attributes:
        anchor: in the page's address.
        title: the heading.
        text: paragraphs.
        findings: sentences that stand out, each with its level: ``clear`` (more than chance) or ``note`` (not).
        charts, tables: in their order, below the text.
    """

    anchor: str
    title: str
    text: tuple[str, ...] = ()
    findings: tuple[tuple[str, str], ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page.

    Attributes:
        kind: what sort of page, above the title.
        title: of what.
        facts: name and value: what, where, when.
        numbers: name and value of the few that stand large at the top.
        sections: in order.
        command: that makes the page again.
        made: when, in words.
    """

    kind: str
    title: str
    facts: Sequence[tuple[str, str]]
    numbers: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    command: str
    made: str


def prepare(out: Path) -> None:
    """Make the directory of a page, before the long work.

    Raises:
        UsageError: it cannot be written.
    """
    make_directory(out / FIGURES)
    with replacing(out / INDEX) as probe, explained(out):
        probe.write_text("The page is being made.\n", encoding="utf-8")


def write_page(page: Page, out: Path, progress: Callable[[int], None] = lambda _count: None) -> Path:
    """Write the figures, then the page.

    Args:
        page: what to write.
        out: its directory.
        progress: called after each figure.

    Returns:
        the page.

    Raises:
        UsageError: a file cannot be written.
    """
    make_directory(out / FIGURES)
    pictures: dict[str, str] = {}
    for chart in (chart for section in page.sections for chart in section.charts):
        content = rendered(chart.figure, ".png")
        _write(out / FIGURES / f"{chart.name}.png", content)
        if chart.pdf:
            _write(out / FIGURES / f"{chart.name}.pdf", rendered(chart.figure, ".pdf"))
        pictures[chart.name] = "data:image/png;base64," + base64.b64encode(content).decode("ascii")
        progress(1)
    template = _environment().get_template("understanding.html.j2")
    html = template.render(page=page, pictures=pictures, program=mesoscope.__version__)
    _write(out / INDEX, html.encode("utf-8"))
    return out / INDEX


def write_json(facts: Mapping[str, Any], path: Path) -> None:
    """Numbers as JSON.

    Raises:
        UsageError: the file cannot be written.
        ValueError: a number is not finite.
    """
    _write(path, (json.dumps(facts, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8"))


def write_arrays(arrays: Mapping[str, npt.NDArray[Any]], path: Path) -> None:
    """Arrays as one compressed NPZ.

    Raises:
        UsageError: the file cannot be written.
    """
    with replacing(path) as partial, explained(path), partial.open("wb") as file:
        np.savez_compressed(file, **arrays)


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as partial, explained(path):
        partial.write_bytes(content)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return environment_of("mesoscope_train.understanding")

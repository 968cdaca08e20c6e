"""The report as one self-contained HTML file: no script runs, nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from mesoscope.report.card import card_html
from mesoscope.report.content import Figure, Report
from mesoscope.report.svg import to_svg
from mesoscope.report.words import GENERAL_LIMITS, OUTCOME_MEANINGS, OUTCOME_TITLES, rule_facts, visible
from mesoscope.report.writer import formats
from mesoscope.types import RESULTS_VERSION

if TYPE_CHECKING:
    from jinja2 import Environment

_IN_SCRIPT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})
"""Keeps JSON from closing the script element that holds it; JSON readers see the same strings."""


@formats.register(".html")
def write_html(report: Report, path: Path) -> None:
    """Write a report as HTML, piece by piece: neither table, pictures nor data are ever whole in memory."""
    template = environment().get_template("report.html.j2")
    pieces = template.stream(
        report=report,
        titles=OUTCOME_TITLES,
        meanings=OUTCOME_MEANINGS,
        rule_facts=rule_facts(report.bundle, report.verdict),
        general_limits=GENERAL_LIMITS,
        own_limits=report.bundle.contract.limits,
        card=card_html(report.bundle.card),
        command=visible(report.command),
        results_version=RESULTS_VERSION,
        results=_results(report),
    )
    pieces.enable_buffering(64)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(pieces)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Templates of this package, everything escaped."""
    from markupsafe import Markup  # noqa: PLC0415 - pages only, as Jinja

    from mesoscope.report.template_setup import environment_of  # noqa: PLC0415

    environment = environment_of()
    environment.filters["svg"] = lambda chart: Markup(to_svg(chart))  # noqa: S704 - to_svg escapes its texts
    environment.filters["data_uri"] = _data_uri
    return environment


def _data_uri(figure: Figure) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(figure.path.read_bytes()).decode("ascii")


def _results(report: Report) -> Iterator[str]:
    """The results as pieces of a JSON array."""
    yield "["
    for place, result in enumerate(report.results()):
        yield (",\n" if place else "\n") + result.model_dump_json().translate(_IN_SCRIPT)
    yield "\n]"

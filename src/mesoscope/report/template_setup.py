"""How pages are filled in: one Jinja set-up for every page of the product."""

from __future__ import annotations

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from mesoscope.report.words import visible


def environment_of(*packages: str) -> Environment:
    """Templates of some packages and, below them, the reports' own, whose style sheet all pages share.

    Every value is escaped, a name that is not there is an error, and the filter ``visible`` shows what a text hides.

    Args:
        packages: whose directory ``templates`` is searched, the first one first.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in (*packages, "mesoscope.report")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    return environment

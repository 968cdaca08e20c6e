"""The evaluation on one page: one HTML file that needs nothing else, in the reports' look; no script runs in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

import mesoscope
from mesoscope.atomic import explained as said
from mesoscope.atomic import replacing
from mesoscope.bundle import BundleContract
from mesoscope.report.template_setup import environment_of
from mesoscope.report.words import plural, visible
from mesoscope_train.evaluation.answer import boxes, falls, headline, whole_readings
from mesoscope_train.evaluation.content import Chart, CrossCell, Page
from mesoscope_train.evaluation.explanations import HEADS, explained
from mesoscope_train.evaluation.metrics_schema import Metric, Metrics, Reading
from mesoscope_train.evaluation.sections import left_out_told, sections
from mesoscope_train.evaluation.trust import BOUNDS_TOLD, level_of
from mesoscope_train.evaluation.wording import SIGN_MEANINGS, estimate, reason, sign, signs_used, unanswered_briefly
from mesoscope_train.figures import themed_svg


def write_page(
    metrics: Metrics,
    figures: Sequence[Chart],
    path: Path,
    *,
    contracts: Mapping[str, BundleContract] | None = None,
    histories: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write the page; whole or not at all.

    What a bundle knows of a manifest's data is taken from `Metrics.warnings` with bundle and manifest: code
    ``trained-on`` (trained on these very pictures or near duplicates; allowed by the caller), ``trained-on-set`` (on
    other groups of the same set), ``training-unknown`` (the bundle names no data it was trained on).

    Args:
        metrics: of one evaluation.
        figures: from `figures.write_figures`.
        path: of the HTML file.
        contracts: name-version to what the bundle states (thresholds at budgets, the data they were chosen on,
            training data, limits); without it the page says less.
        histories: manifest's name to the commands that made it.

    Raises:
        UsageError: the file cannot be written.
    """
    page = page_of(metrics, figures, contracts=contracts or {}, histories=histories or {})
    left_out = {one.name: left_out_told(metrics, one.name) for one in metrics.manifests}
    pieces = _environment().get_template("evaluation.html.j2").stream(page=page, left_out=left_out, heads=HEADS)
    pieces.enable_buffering(64)
    with replacing(path) as partial, said(path), partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(pieces)


def page_of(
    metrics: Metrics,
    figures: Sequence[Chart],
    *,
    contracts: Mapping[str, BundleContract],
    histories: Mapping[str, Sequence[str]],
) -> Page:
    """What the page says; arguments as of `write_page`."""
    return Page(
        title=_title(metrics),
        headline=headline(metrics),
        falls=falls(metrics),
        boxes=boxes(metrics),
        bounds=BOUNDS_TOLD,
        cross=[(bundle.name, _line(metrics, bundle.name)) for bundle in metrics.bundles],
        manifests=[(one.name, f"{one.real:,} real, {one.fake:,} fake") for one in metrics.manifests],
        signs=[(mark, SIGN_MEANINGS[mark]) for mark in signs_used(metrics)],
        sections=[*sections(metrics, figures, contracts)],
        explained=explained(metrics),
        facts=_facts(metrics),
        commands=[*_commands(metrics, histories)],
        made=metrics.provenance.date.replace("T", " ")[:16],
        program=mesoscope.__version__,
    )


def _title(metrics: Metrics) -> str:
    bundles, manifests = [one.name for one in metrics.bundles], [one.name for one in metrics.manifests]
    first = ", ".join(bundles) if len(bundles) <= 2 else plural(len(bundles), "bundle", "bundles")
    second = ", ".join(manifests) if len(manifests) <= 2 else plural(len(manifests), "data set", "data sets")
    return f"{first} on {second}"


def _line(metrics: Metrics, bundle: str) -> list[CrossCell]:
    readings = {one.manifest: one for one in whole_readings(metrics, bundle)}
    return [_cell(metrics, bundle, one.name, readings.get(one.name)) for one in metrics.manifests]


def _cell(metrics: Metrics, bundle: str, manifest: str, reading: Reading | None) -> CrossCell:
    mark = sign(metrics, bundle, manifest)
    if reading is None:
        return CrossCell("–", "–", "not measured", "", mark, "none", 0.0)
    auc, accuracy = reading.metrics.get("auc"), reading.metrics.get("accuracy")
    return CrossCell(
        auc=estimate(auc),
        accuracy=estimate(accuracy),
        missing="; ".join(dict.fromkeys(why for why in (reason(auc), reason(accuracy)) if why)),
        left_out=unanswered_briefly(reading.counts),
        mark=mark,
        level=level_of(reading) or "none",
        strength=max(0.0, 2 * auc.value - 1) if isinstance(auc, Metric) else 0.0,
    )


def _facts(metrics: Metrics) -> list[tuple[str, str]]:
    made, settings = metrics.provenance, metrics.settings
    budget = "each bundle’s default threshold" if made.max_fpr is None else f"at most {100 * made.max_fpr:g} %"
    return [
        ("Scored", f"{made.date} by mesoscope {made.scored_by}; measured by {made.mesoscope}"),
        ("False alarms", budget),
        (
            "Intervals",
            f"{100 * settings.level:g} %, {settings.draws:,} bootstrap draws of whole groups, seed {settings.seed}",
        ),
        ("Parts", f"at least {settings.minimum_n:,} pictures, and as many of a class for a rate of it"),
        *((f"Bundle {one.name}", one.sha256) for one in metrics.bundles),
        *((f"Manifest {one.name}", one.sha256) for one in metrics.manifests),
        *([("scores.parquet", made.scores_sha256)] if made.scores_sha256 else []),
    ]


def _commands(metrics: Metrics, histories: Mapping[str, Sequence[str]]) -> list[str]:
    found = [visible(line) for lines in histories.values() for line in lines]
    return [*dict.fromkeys([*found, visible(metrics.provenance.command)])]


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = environment_of("mesoscope_train.evaluation", "mesoscope_train.data.explore")
    environment.filters["svg"] = _svg
    return environment


def _svg(chart: Chart) -> Markup:
    return Markup(themed_svg(chart.figure, chart.name, visible(chart.caption)))  # noqa: S704 - a serialiser escaped its texts

"""The figures of an evaluation, drawn from ``metrics.json`` alone: PNG and SVG files, and for the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mesoscope.atomic import make_directory
from mesoscope_train.evaluation.content import Chart
from mesoscope_train.evaluation.figures.of_manifest import manifest_charts
from mesoscope_train.evaluation.figures.of_parts import cross_charts, degradation_charts, slice_charts
from mesoscope_train.evaluation.metrics_schema import Metrics
from mesoscope_train.evaluation.wording import slugs
from mesoscope_train.figures import save


def write_figures(metrics: Metrics, out_dir: Path) -> list[Chart]:
    """Draw every figure that the numbers allow, and write each as ``NAME.png`` and ``NAME.svg``.

    Args:
        metrics: of one evaluation.
        out_dir: made if it is not there.

    Returns:
        the figures in the page's order; a figure whose numbers are absent is left out (the page says why).

    Raises:
        UsageError: the directory cannot be written.
    """
    make_directory(out_dir)
    charts = []
    for chart in draw_figures(metrics):
        for suffix in (".png", ".svg"):
            save(chart.figure, out_dir / f"{chart.name}{suffix}")
        charts.append(chart)
    return charts


def draw_figures(metrics: Metrics) -> Iterator[Chart]:
    """The figures, without files."""
    yield from cross_charts(metrics)
    names = slugs([manifest.name for manifest in metrics.manifests])
    for manifest, slug in names.items():
        yield from manifest_charts(metrics, manifest, slug)
        yield from slice_charts(metrics, manifest, slug)
        yield from degradation_charts(metrics, manifest, slug)

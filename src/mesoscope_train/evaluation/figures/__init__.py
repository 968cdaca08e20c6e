"""The figures of an evaluation, drawn from ``metrics.json`` alone: PNG and SVG files, and for the page."""

from __future__ import annotations

from pathlib import Path

from mesoscope_train.evaluation.content import Chart
from mesoscope_train.evaluation.metrics_schema import Metrics


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
    raise NotImplementedError

"""The evaluation on one page: one HTML file that needs nothing else; no script runs in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mesoscope.bundle import BundleContract
from mesoscope_train.evaluation.content import Chart
from mesoscope_train.evaluation.metrics_schema import Metrics


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
    raise NotImplementedError

"""Bundles against manifests, as HTML, CSV, Markdown and LaTeX."""

from __future__ import annotations

from pathlib import Path

from mesoscope_train.evaluation.metrics_schema import Metrics


def write_tables(metrics: Metrics, out_dir: Path) -> list[Path]:
    """Write ``cross-dataset`` and ``tiers`` tables as ``.html``, ``.csv``, ``.md`` and ``.tex``.

    Args:
        metrics: of one evaluation.
        out_dir: made if it is not there.

    Returns:
        the files.

    Raises:
        UsageError: the directory cannot be written.
    """
    raise NotImplementedError

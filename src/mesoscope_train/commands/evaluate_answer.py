"""What ``mesoscope evaluate`` prints: the few numbers a person looks for first, and where all of them are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mesoscope.cli.console import remark, stdout, warn
from mesoscope_train.commands.data_output import print_json, table_of

if TYPE_CHECKING:
    from rich.table import Table

    from mesoscope_train.evaluation.metrics_schema import Metrics, Reading
    from mesoscope_train.evaluation.run import Result

SHOWN = {
    "auc": "AUC",
    "accuracy": "accuracy",
    "false_positive_rate": "reals called fake",
    "accuracy_fake": "fakes found",
}
_MOST_WARNINGS = 8


def show(result: Result, *, as_json: bool) -> None:
    """Print the short table, or its JSON; warnings go to stderr either way."""
    readings = list(_short(result.metrics))
    if as_json:
        print_json(
            {
                "out": str(result.out),
                "pictures": result.pictures,
                "failed": result.failed,
                "readings": [_as_json(reading, result.parts.get(reading.manifest, "")) for reading in readings],
                "warnings": [caution.model_dump() for caution in result.metrics.warnings],
            }
        )
        return
    level = f"AUC ({result.metrics.settings.level:.0%})"
    numbers = ["real", "fake", "no answer", level, *(title for name, title in SHOWN.items() if name != "auc")]
    rows = [_row(reading, result.parts.get(reading.manifest, "")) for reading in readings]
    _print_whole(table_of(("bundle", "manifest", "part", "tier"), numbers, rows))
    for caution in result.metrics.warnings[:_MOST_WARNINGS]:
        warn(caution.message)
    if len(result.metrics.warnings) > _MOST_WARNINGS:
        remark(f"{len(result.metrics.warnings) - _MOST_WARNINGS} more warnings stand on the page")
    remark(f"written: {result.out / 'index.html'}, metrics.json, scores.parquet, figures, tables, cards")


def _short(metrics: Metrics) -> Iterator[Reading]:
    """Pictures of whole manifests, at tiers that are no sweep's level."""
    plain = {tier.name for tier in metrics.tiers if tier.operation is None}
    for reading in metrics.find(unit="picture", slice=None):
        if reading.tier in plain:
            yield reading


def _print_whole(table: Table) -> None:
    """Print a table without cutting its cells, however narrow the terminal is."""
    from rich.measure import Measurement

    console = stdout()
    wide = Measurement.get(console, console.options.update(max_width=10_000), table).maximum
    console.width = max(console.width, wide)
    console.print(table, crop=False)


def _row(reading: Reading, part: str) -> list[str]:
    counts = reading.counts
    answered = counts.answered_real + counts.answered_fake
    cells = [reading.bundle, reading.manifest, part, reading.tier]
    cells += [f"{counts.real:,}", f"{counts.fake:,}", f"{counts.total - answered:,}"]
    for name in SHOWN:
        value = reading.value(name)
        cell = "–" if value is None else f"{value:.3f}"
        cells.append(cell + _interval(reading, name) if name == "auc" else cell)
    return cells


def _interval(reading: Reading, name: str) -> str:
    found = reading.metrics.get(name)
    low, high = getattr(found, "low", None), getattr(found, "high", None)
    return "" if low is None or high is None else f" ({low:.3f} to {high:.3f})"


def _as_json(reading: Reading, part: str) -> dict[str, object]:
    counts = reading.counts
    return {
        "bundle": reading.bundle,
        "manifest": reading.manifest,
        "part": part,
        "tier": reading.tier,
        "threshold": reading.threshold,
        "counts": counts.model_dump(exclude={"reasons"}),
        "metrics": {name: reading.metrics[name].model_dump() for name in SHOWN if name in reading.metrics},
    }

"""From ``scores.parquet`` to ``metrics.json``: every number of an evaluation, and nothing but the scores goes in.

Manifest by manifest: the rows of one bundle at one tier are in memory as a table, those of a manifest as arrays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow.compute as pc

import mesoscope
from mesoscope.errors import UsageError
from mesoscope_train.evaluation import comparing, slices
from mesoscope_train.evaluation.cautions import cautions_of
from mesoscope_train.evaluation.drawing import Drawing
from mesoscope_train.evaluation.metrics_schema import (
    BundleFacts,
    Comparison,
    Fall,
    Gap,
    ManifestFacts,
    Metrics,
    Provenance,
    Reading,
    Settings,
    SliceColumn,
)
from mesoscope_train.evaluation.parts import Grouping, Part, Units, Where, parts_of, units_of
from mesoscope_train.evaluation.reading import brief_reading, full_reading
from mesoscope_train.evaluation.scores import Scores

CLEAN = "clean"
SWEPT = (None, "mean")
"""Aggregations that sweeps, comparisons and falls are made of."""
Progress = Callable[[str], None]
"""Told what is measured next: ``dfdc: mesonet-meso4-df-1 at jpeg-60``."""


def silent(_: str) -> None:
    """Tell nobody."""


def measure(scores: Scores, settings: Settings | None = None, *, progress: Progress = silent) -> Metrics:
    """All numbers of an evaluation.

    The same scores and settings give the same numbers. What cannot be computed is absent with its reason.

    Args:
        scores: as `read_scores` gives them.
        settings: levels, draws, minima, and the columns to slice by.
        progress: told what is measured next.

    Raises:
        UsageError: there are no rows, or no manifest has a column that slices were asked of.
    """
    settings = settings or Settings()
    if not scores.table.num_rows:
        raise UsageError("there are no scores to measure")
    found = _Found()
    columns = slices.columns_for(scores.table, settings.slices)
    manifests = pc.unique(scores.table.column("manifest")).to_pylist()
    for manifest in manifests:
        _measure_manifest(scores, manifest, columns, _Task(found, settings, progress))
    found.falls += _manifest_falls(found.readings)
    bundles, facts = list(_bundles(scores)), scores.facts
    return Metrics(
        provenance=Provenance(
            mesoscope=mesoscope.__version__,
            scored_by=facts.mesoscope,
            command=facts.command,
            date=facts.date,
            scores_sha256=scores.digest(),
            max_fpr=facts.max_fpr,
        ),
        settings=settings,
        bundles=bundles,
        manifests=found.manifests,
        tiers=facts.tiers,
        warnings=[
            *facts.cautions,
            *cautions_of(bundles, found.manifests, found.readings, found.gaps, facts.cautions),
        ],
        readings=found.readings,
        slice_columns=found.slice_columns,
        gaps=found.gaps,
        comparisons=found.comparisons,
        falls=found.falls,
    )


@dataclass(slots=True)
class _Found:
    """What has been measured so far."""

    manifests: list[ManifestFacts] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    slice_columns: list[SliceColumn] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    comparisons: list[Comparison] = field(default_factory=list)
    falls: list[Fall] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Task:
    found: _Found
    settings: Settings
    progress: Progress


def _measure_manifest(scores: Scores, manifest: str, columns: Sequence[str], task: _Task) -> None:
    tiers = [tier.name for tier in scores.facts.tiers]
    swept = {tier.name for tier in scores.facts.tiers if tier.operation is not None}
    grouping: Grouping | None = None
    held: dict[Where, list[Units]] = {}
    drawing = Drawing(task.settings)
    for part in parts_of(scores, manifest, tiers):
        if grouping is None:
            grouping = Grouping(part)
            task.found.manifests.append(_facts(part, grouping, scores))
        where = part.where
        task.progress(f"{manifest}: {where.bundle} at {where.tier}")
        kinds = list(units_of(part, grouping))
        if where.tier in swept:
            kinds = [units for units in kinds if units.aggregation in SWEPT]
        reading = brief_reading if where.tier in swept else full_reading
        task.found.readings += [reading(where, units, drawing) for units in kinds]
        if where.tier == tiers[0]:
            _slice(part, kinds[0], columns, task.found, drawing)
        held[where] = [units for units in kinds if units.aggregation in SWEPT]
    _compare(held, [tier for tier in tiers if tier not in swept], task.found, drawing)


def _slice(part: Part, pictures: Units, columns: Sequence[str], found: _Found, drawing: Drawing) -> None:
    """Slices of pictures, at the first tier only."""
    first = not any(one.manifest == part.where.manifest for one in found.slice_columns)
    cut = []
    for column in columns:
        told, cuts = slices.cuts_of(part, column, drawing.settings.minimum_n)
        readings = slices.slice_readings(part.where, pictures, cuts, drawing)
        if first:
            found.slice_columns.append(told)
        found.readings += readings
        cut.append((cuts, readings))
    found.gaps += slices.gaps_of(pictures, cut, drawing)


def _compare(held: dict[Where, list[Units]], named: Sequence[str], found: _Found, drawing: Drawing) -> None:
    """Bundles against each other at the tiers that are no sweep; each bundle at each tier against the first one."""
    for aggregation in SWEPT:
        of_kind = {
            where: units for where, kinds in held.items() for units in kinds if units.aggregation == aggregation
        }
        for tier in named:
            parts = [(where, units) for where, units in of_kind.items() if where.tier == tier]
            found.comparisons += comparing.comparisons(parts, drawing)
        for where, units in of_kind.items():
            clean = Where(where.bundle, where.manifest, named[0]) if named else where
            if where != clean and clean in of_kind:
                found.falls += comparing.tier_falls((clean, of_kind[clean]), (where, units), drawing)


def _manifest_falls(readings: Sequence[Reading]) -> Iterator[Fall]:
    """Of each bundle, the first tier's readings of whole manifests."""
    whole = [one for one in readings if one.slice is None and one.aggregation in SWEPT]
    if not whole:
        return
    kinds = dict.fromkeys((one.bundle, one.aggregation) for one in whole)
    for bundle, aggregation in kinds:
        of_kind = [one for one in whole if (one.bundle, one.aggregation) == (bundle, aggregation)]
        yield from comparing.manifest_falls([one for one in of_kind if one.tier == whole[0].tier])


def _bundles(scores: Scores) -> Iterator[BundleFacts]:
    keys = ["bundle", "bundle_sha256", "threshold", "lower", "calibrated"]
    seen: set[str] = set()
    for row in scores.table.select(keys).group_by(keys, use_threads=False).aggregate([]).to_pylist():
        if row["bundle"] in seen:
            raise UsageError(f"the scores hold two bundles, or two thresholds, under the name {row['bundle']}")
        seen.add(row["bundle"])
        yield BundleFacts(
            name=row["bundle"],
            sha256=row["bundle_sha256"],
            threshold=row["threshold"],
            lower=row["lower"],
            calibrated=row["calibrated"],
        )


def _facts(part: Part, grouping: Grouping, scores: Scores) -> ManifestFacts:
    labels = Counter(part.values("label"))
    manifest = part.where.manifest
    return ManifestFacts(
        name=manifest,
        sha256=part.table.column("manifest_sha256")[0].as_py(),
        rows=part.table.num_rows,
        real=labels["real"],
        fake=labels["fake"],
        datasets=_tally(part.values("dataset")),
        splits=_tally(part.values("split")),
        groups=grouping.groups,
        grouping=grouping.words,
        again=manifest in scores.facts.again,
    )


def _tally(values: Sequence[Any]) -> dict[str, int]:
    counted = Counter(slices.NONE if value is None else str(value) for value in values)
    return dict(counted.most_common())

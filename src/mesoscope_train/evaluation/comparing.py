"""Readings set against each other: two bundles on the same units, one bundle at two tiers or on two manifests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mesoscope.metrics import Estimate, Sample, Undefined, delong, holm, mcnemar
from mesoscope.metrics.differences import independent_difference, paired_difference
from mesoscope.metrics.undefined import Number
from mesoscope_train.evaluation.drawing import PAIRED, Drawing, Found
from mesoscope_train.evaluation.metrics_schema import (
    Absent,
    Comparison,
    Fall,
    MaybeMetric,
    Metric,
    PValue,
    Reading,
)
from mesoscope_train.evaluation.parts import Units, Where
from mesoscope_train.evaluation.reading import as_metric


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two sets of answers on the same units, in the same order, with the same codes of groups.

    Attributes:
        first, second: samples of the units answered in both.
        found: estimates and draws of each.
        left_out: units that are answered in one or none.
    """

    first: Sample
    second: Sample
    found: tuple[Found, Found]
    left_out: int

    def value(self, metric: str) -> tuple[MaybeMetric, MaybeMetric]:
        """A metric of both."""
        first, second = (as_metric(estimates[metric]) for estimates, _ in self.found)
        return first, second

    def difference(self, metric: str, level: float) -> MaybeMetric:
        """First minus second, with a paired interval."""
        sides = []
        for estimates, draws in self.found:
            one = estimates[metric]
            if isinstance(one, Undefined):
                return Absent(absent=one.reason)
            sides.append((one, draws.get(metric)))
        groups = self.first.rarer_groups if metric == "auc" else self.first.groups
        return as_metric(paired_difference(sides[0], sides[1], level, groups=groups))


def pair(first: Units, second: Units, drawing: Drawing) -> Pair:
    """Two parts of one manifest, of the same kind of unit, on what both answered."""
    names = [units.name[units.answered] for units in (first, second)]
    _, rows, other_rows = np.intersect1d(*names, assume_unique=True, return_indices=True)
    one, other = first.sample.take(rows).compact(), second.sample.take(other_rows).compact()
    found = (drawing.part(first, one, rows), drawing.part(second, other, other_rows))
    return Pair(one, other, found, int(np.union1d(first.name, second.name).size - rows.size))


def comparisons(parts: Sequence[tuple[Where, Units]], drawing: Drawing) -> list[Comparison]:
    """Every two bundles on one manifest, at one tier, in one kind of unit; p-values corrected over the pairs.

    Args:
        parts: one for each bundle.
        drawing: of the manifest.
    """
    found: list[Comparison] = []
    for metric in PAIRED:
        of_metric = [_comparison(metric, one, other, drawing) for one, other in combinations(parts, 2)]
        found += _corrected(of_metric, 1 - drawing.settings.level)
    return found


def _comparison(metric: str, one: tuple[Where, Units], other: tuple[Where, Units], drawing: Drawing) -> Comparison:
    (where, units), (against, other_units) = one, other
    both = pair(units, other_units, drawing)
    tests = list(_tests(metric, both))
    first, second = both.value(metric)
    return Comparison(
        first=where.bundle,
        second=against.bundle,
        manifest=where.manifest,
        tier=where.tier,
        unit=units.unit,
        aggregation=units.aggregation,
        n=both.first.fake.size,
        n_groups=both.first.groups,
        left_out=both.left_out,
        metric=metric,
        first_value=first,
        second_value=second,
        difference=both.difference(metric, drawing.settings.level),
        tests=tests,
        # by group, where there is such a test, is the last one
        decisive=tests[-1].name if tests else None,
        significant=False,
    )


def _tests(metric: str, both: Pair) -> Iterator[PValue]:
    grouped = both.first.groups < both.first.fake.size
    for groups, suffix in ((None, ""), (both.first.group, " by group")) if grouped else ((None, ""),):
        if metric == "auc":
            name, p = f"DeLong{suffix}", _delong(both, groups)
        else:
            right = [one.fake == one.called_fake for one in (both.first, both.second)]
            name, p = f"McNemar, exact{suffix}", mcnemar(right[0], right[1], groups)
        if not isinstance(p, Undefined):
            yield PValue(name=name, p=p)


def _delong(both: Pair, groups: np.ndarray | None) -> Number:
    if not both.first.fake.size:
        return Undefined("nothing was answered by both")
    found = delong(both.first.fake, both.first.logit, both.second.logit, groups)
    return found if isinstance(found, Undefined) else found.p


def _corrected(found: list[Comparison], level: float) -> list[Comparison]:
    tested = [one for one in found if one.tests]
    adjusted = iter(holm([one.tests[-1].p for one in tested]))
    result = []
    for one in found:
        if not one.tests:
            result.append(one)
            continue
        p = float(next(adjusted))
        last = one.tests[-1].model_copy(update={"p_holm": p, "family": len(tested)})
        result.append(one.model_copy(update={"tests": [*one.tests[:-1], last], "significant": p < level}))
    return result


def tier_falls(clean: tuple[Where, Units], other: tuple[Where, Units], drawing: Drawing) -> Iterator[Fall]:
    """From clean to a tier, of the same bundle and kind of unit, on the pictures answered at both."""
    (start, units), (end, other_units) = clean, other
    both = pair(other_units, units, drawing)
    for metric in PAIRED:
        to_value, from_value = both.value(metric)
        yield Fall(
            kind="tier",
            bundle=start.bundle,
            unit=units.unit,
            aggregation=units.aggregation,
            metric=metric,
            from_manifest=start.manifest,
            from_tier=start.tier,
            to_manifest=end.manifest,
            to_tier=end.tier,
            from_value=from_value,
            to_value=to_value,
            difference=both.difference(metric, drawing.settings.level),
        )


def manifest_falls(readings: Sequence[Reading]) -> Iterator[Fall]:
    """From the manifest with the highest AUC to each other one.

    Args:
        readings: of one bundle and kind of unit, whole manifests at one tier.
    """
    ranked = [one for one in readings if one.value("auc") is not None]
    if not ranked:
        return
    start = max(ranked, key=lambda one: one.value("auc") or 0.0)
    for end in readings:
        if end is start:
            continue
        for metric in PAIRED:
            from_value, to_value = start.metrics[metric], end.metrics[metric]
            yield Fall(
                kind="manifest",
                bundle=start.bundle,
                unit=start.unit,
                aggregation=start.aggregation,
                metric=metric,
                from_manifest=start.manifest,
                from_tier=start.tier,
                to_manifest=end.manifest,
                to_tier=end.tier,
                from_value=from_value,
                to_value=to_value,
                difference=_independent(to_value, from_value),
            )


def _independent(first: MaybeMetric, second: MaybeMetric) -> MaybeMetric:
    for one in (first, second):
        if isinstance(one, Absent):
            return one
    return as_metric(independent_difference(_estimate(first), _estimate(second)))


def _estimate(metric: MaybeMetric) -> Estimate:
    assert isinstance(metric, Metric)  # noqa: S101 - the caller looked
    return Estimate(metric.value, metric.low, metric.high, metric.no_interval, metric.n, metric.n_groups)

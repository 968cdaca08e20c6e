"""Every measure of a sample with its interval, in one pass over the bootstrap's draws."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from mesoscope.metrics.bootstrap import FEWEST_GROUPS, draw_groups, expanded, percentile_interval
from mesoscope.metrics.classification import RATIOS, Columns, Ratio, columns_of
from mesoscope.metrics.probability import bin_sums, calibration_error
from mesoscope.metrics.proportions import clopper_pearson
from mesoscope.metrics.ranking import Descent, Ladder, too_few_reals, unrankable
from mesoscope.metrics.sample import Sample
from mesoscope.metrics.selective import area_under_risk, by_sureness
from mesoscope.metrics.undefined import NOTHING, Floats, Undefined, one_class

RANKING = ("auc", "average_precision", "eer", "recall_at_fpr_1", "recall_at_fpr_5")
_BUDGETS = {"recall_at_fpr_1": 0.01, "recall_at_fpr_5": 0.05}
NAMES: tuple[str, ...] = (*RANKING, *RATIOS, "balanced_accuracy", "ece", "aurc")
"""Every measure there is."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """How intervals are made.

    Attributes:
        level: their coverage.
        draws, seed: of the bootstrap.
        bins: of the expected calibration error.
    """

    level: float = 0.95
    draws: int = 1000
    seed: int = 0
    bins: int = 15


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval.

    Attributes:
        value: of the sample.
        low, high: None where there is no interval; `no_interval` says why.
        n: units the measure counts; `n_groups`: groups they are of.
    """

    value: float
    low: float | None
    high: float | None
    no_interval: str | None
    n: int
    n_groups: int


@dataclass(frozen=True, slots=True)
class _Basis:
    """What a measure stands on: units counted, their groups, and the groups of the rarer side."""

    n: int
    groups: int
    rarer: int


def estimate_all(
    sample: Sample, intervals: Intervals, names: Collection[str] = NAMES
) -> dict[str, Estimate | Undefined]:
    """Each of `names` (of `NAMES`), in that order.

    Args:
        sample: may be empty, of one class, all alike: what cannot be computed comes back as `Undefined`.
        intervals: how; bootstrap by group.
        names: which.
    """
    return estimate_with_draws(sample, intervals, names)[0]


def estimate_with_draws(
    sample: Sample, intervals: Intervals, names: Collection[str] = NAMES
) -> tuple[dict[str, Estimate | Undefined], dict[str, Floats]]:
    """As `estimate_all`, and of each measure its value in every draw: (draws,), NaN where a draw has no such value.

    Two samples of the same units and groups are drawn alike: the differences of their draws are paired. No draws are
    given where there is no value, or where there are too few groups.
    """
    columns = columns_of(sample)
    reasons = {name: _why_not(name, sample, columns) for name in names}
    wanted = [name for name in names if reasons[name] is None]
    measured = _Measuring(sample, columns, frozenset(wanted), intervals.bins)
    values = measured.of(None)
    blocks: dict[str, list[Floats]] = {name: [] for name in wanted}
    if wanted and sample.groups >= FEWEST_GROUPS:
        for weights in draw_groups(sample.groups, intervals.draws, intervals.seed, rows=sample.fake.size):
            for name, drawn in measured.of(weights).items():
                blocks[name].append(drawn)
    draws = {name: np.concatenate(drawn) for name, drawn in blocks.items() if drawn}
    found: dict[str, Estimate | Undefined] = {}
    for name in names:
        basis = _basis(name, sample, columns)
        found[name] = reasons[name] or _estimate(
            name, float(values[name][0]), draws.get(name), basis, intervals.level
        )
        if basis.rarer < FEWEST_GROUPS:
            draws.pop(name, None)
    return found, draws


class _Measuring:
    """The measures of a sample under any weighting of its groups; what can be sorted or summed is so once."""

    def __init__(self, sample: Sample, columns: Columns, names: frozenset[str], bins: int) -> None:
        self._group = sample.group
        self._names = names
        self._columns = list(columns)
        by_group = [np.bincount(sample.group, weights=columns[name], minlength=sample.groups) for name in columns]
        self._sums = np.stack(by_group, axis=1)
        self._sums[:, self._columns.index("all")] += sample.silent
        per_bin = bin_sums(sample.fake, sample.probability, bins, sample.group, sample.groups)
        self._bins = per_bin.reshape(sample.groups, 3 * bins)
        self._ladder = Ladder.of(sample.fake, sample.logit) if names & set(RANKING) else None
        self._sure = by_sureness(sample.fake != sample.called_fake, sample.sureness) if "aurc" in names else None

    def of(self, weights: Floats | None) -> dict[str, Floats]:
        """Name to (D,) values; `weights` (D, groups), None for the sample itself."""
        groups = np.ones((1, len(self._sums))) if weights is None else weights
        sums = dict(zip(self._columns, (groups @ self._sums).T, strict=True))
        found = {name: RATIOS[name].of(sums) for name in self._names if name in RATIOS}
        if "balanced_accuracy" in self._names:
            found["balanced_accuracy"] = (RATIOS["accuracy_real"].of(sums) + RATIOS["accuracy_fake"].of(sums)) / 2
        if "ece" in self._names:
            found["ece"] = calibration_error((groups @ self._bins).reshape(len(groups), 3, -1))
        if self._ladder:
            found |= _ranking(self._ladder.descend(weights, self._group), self._names)
        if self._sure:
            found["aurc"] = area_under_risk(self._sure.descend(weights, self._group))
        return found


def _ranking(descent: Descent, names: Collection[str]) -> dict[str, Floats]:
    found: dict[str, Floats] = {}
    if "auc" in names:
        found["auc"] = descent.auc()
    if "average_precision" in names:
        found["average_precision"] = descent.average_precision()
    if "eer" in names:
        found["eer"] = descent.eer()
    for name, fpr in _BUDGETS.items():
        if name in names:
            found[name] = descent.recall_at(fpr)
    return found


def _why_not(name: str, sample: Sample, columns: Columns) -> Undefined | None:
    if name in RATIOS:
        return _why_no_ratio(RATIOS[name], sample, columns)
    if not sample.fake.size:
        return NOTHING
    if name in RANKING:
        reason = unrankable(sample.fake, sample.logit)
        budget = _BUDGETS.get(name)
        return reason or (too_few_reals(int((~sample.fake).sum()), budget) if budget else None)
    return one_class(sample.fake) if name == "balanced_accuracy" else None


def _why_no_ratio(ratio: Ratio, sample: Sample, columns: Columns) -> Undefined | None:
    if ratio.whole == ("all",):
        return None if sample.fake.size + sample.silent.sum() else ratio.empty
    if not sample.fake.size:
        return NOTHING
    return None if ratio.counted(columns).any() else ratio.empty


def _basis(name: str, sample: Sample, columns: Columns) -> _Basis:
    if name in RATIOS and RATIOS[name].whole == ("all",):
        present = np.bincount(sample.group, minlength=sample.groups) + sample.silent
        groups = int((present > 0).sum())
        return _Basis(int(present.sum()), groups, groups)
    counted = RATIOS[name].counted(columns) > 0 if name in RATIOS else np.ones_like(sample.fake)
    groups = np.unique(sample.group[counted]).size
    rarer = groups
    if name in RANKING or name == "balanced_accuracy":
        rarer = sample.rarer_groups
    return _Basis(int(counted.sum()), groups, rarer)


def _estimate(name: str, value: float, draws: Floats | None, basis: _Basis, level: float) -> Estimate:
    if basis.rarer < FEWEST_GROUPS or draws is None:
        few = f"{basis.rarer} group{'s' if basis.rarer != 1 else ''}"
        side = " of the rarer class" if basis.rarer < basis.groups else ""
        return Estimate(value, None, None, f"only {few}{side}: too few to draw again", basis.n, basis.groups)
    interval = percentile_interval(draws, expanded(level, basis.rarer))
    if isinstance(interval, Undefined):
        return Estimate(value, None, None, interval.reason, basis.n, basis.groups)
    low, high = interval
    if low == high and value in (0.0, 1.0) and _bounded(name):
        low, high = at_the_edge(value, basis.rarer, level, root=name in RATIOS and RATIOS[name].root)
    return Estimate(value, low, high, None, basis.n, basis.groups)


def _bounded(name: str) -> bool:
    """Whether a value of 0 or 1 means that none of so many was otherwise."""
    return RATIOS[name].proportion if name in RATIOS else name not in ("ece", "aurc")


def at_the_edge(value: float, groups: int, level: float, *, root: bool = False) -> tuple[float, float]:
    """The interval where no draw differs from 0 or 1: as if none of so many independent groups were otherwise."""
    low, high = clopper_pearson(groups if value else 0, groups, level)
    return (low**0.5, high**0.5) if root else (low, high)

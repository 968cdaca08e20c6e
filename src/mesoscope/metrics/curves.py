"""Curves of a sample as few points for drawing, each with a pointwise band bootstrapped by group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mesoscope.metrics.bootstrap import FEWEST_GROUPS, band, draw_groups, expanded
from mesoscope.metrics.probability import bin_sums
from mesoscope.metrics.proportions import clopper_pearson
from mesoscope.metrics.ranking import Descent, Ladder, unrankable
from mesoscope.metrics.sample import Sample
from mesoscope.metrics.selective import by_sureness, coverage_of, risk_of
from mesoscope.metrics.undefined import NOTHING, Floats, Ints, Undefined

_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Drawing:
    """How curves are made.

    Attributes:
        points: at most so many on a curve.
        level, draws, seed: of the band.
    """

    points: int = 200
    level: float = 0.95
    draws: int = 1000
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Points of a curve, (K,) each.

    Attributes:
        x, y: rising x.
        low, high: band of y at x; empty where there are too few groups for one.
    """

    x: Floats
    y: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """The bins of a reliability plot that are not empty, (K,) each.

    Attributes:
        lower, upper: edges.
        n: units.
        mean_probability: of them; `share_fake`: fakes among them, with its interval `low`, `high`.
    """

    lower: Floats
    upper: Floats
    n: Ints
    mean_probability: Floats
    share_fake: Floats
    low: Floats
    high: Floats


def roc(sample: Sample, drawing: Drawing) -> Curve | Undefined:
    """The ROC curve: false-positive rate, true-positive rate; from (0, 0) to (1, 1)."""
    reason = _unrankable(sample)
    if reason:
        return reason
    ladder = Ladder.of(sample.fake, sample.logit)
    fpr, tpr = _climb(ladder.descend(), 0)
    kept = thinned(fpr, tpr, drawing.points)
    curve = _with_band(ladder, sample, (fpr[kept], tpr[kept]), _tpr_at, drawing)
    if curve.low.size:
        # every curve begins at the corner
        curve.low[0] = curve.high[0] = 0.0
    return curve


def precision_recall(sample: Sample, drawing: Drawing) -> Curve | Undefined:
    """Precision over recall, recall rising."""
    reason = _unrankable(sample)
    if reason:
        return reason
    ladder = Ladder.of(sample.fake, sample.logit)
    descent = ladder.descend()
    recall, precision = descent.tpr[0], _precision(descent)[0]
    # below the first fake there is neither recall nor precision to show
    found = recall > 0
    kept = np.flatnonzero(found)[thinned(recall[found], precision[found], drawing.points)]
    return _with_band(ladder, sample, (recall[kept], precision[kept]), _precision_at, drawing)


def risk_coverage(sample: Sample, drawing: Drawing) -> Curve | Undefined:
    """Share of wrong answers among the surest, over the share that is kept."""
    if not sample.fake.size:
        return NOTHING
    ladder = by_sureness(sample.fake != sample.called_fake, sample.sureness)
    descent = ladder.descend()
    coverage, risk = coverage_of(descent)[0], risk_of(descent)[0]
    kept = thinned(coverage, risk, drawing.points)
    return _with_band(ladder, sample, (coverage[kept], risk[kept]), _risk_at, drawing)


def reliability(sample: Sample, bins: int, drawing: Drawing) -> Bins | Undefined:
    """What was said and what was so, in bins of equal width."""
    if not sample.fake.size:
        return NOTHING
    by_group = bin_sums(sample.fake, sample.probability, bins, sample.group, sample.groups)
    count, said, fakes = by_group.sum(axis=0)
    kept = np.flatnonzero(count)
    groups = np.count_nonzero(by_group[:, 0], axis=0)
    low, high = np.empty(0), np.empty(0)
    share = fakes[kept] / count[kept]
    if sample.groups >= FEWEST_GROUPS:
        low, high = _bin_intervals(by_group[:, :, kept], share, groups[kept], drawing)
    edges = np.arange(bins + 1) / bins
    return Bins(
        edges[kept], edges[kept + 1], np.asarray(count[kept], np.int64), said[kept] / count[kept], share, low, high
    )


def thinned(x: Floats, y: Floats, points: int) -> Ints:
    """Places of at most `points` points of a curve: equally far along it, the first and the last among them."""
    if x.size <= points:
        return np.arange(x.size)
    along = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    places = np.searchsorted(along, np.linspace(0, along[-1], points))
    return np.unique(np.concatenate([[0], np.minimum(places, x.size - 1)[1:-1], [x.size - 1]]))


def _unrankable(sample: Sample) -> Undefined | None:
    return unrankable(sample.fake, sample.logit) if sample.fake.size else NOTHING


def _with_band(
    ladder: Ladder,
    sample: Sample,
    points: tuple[Floats, Floats],
    at: Callable[[Descent, Floats], Floats],
    drawing: Drawing,
) -> Curve:
    x, y = points
    groups = sample.groups if at is _risk_at else sample.rarer_groups
    if groups < FEWEST_GROUPS:
        return Curve(x, y, np.empty(0), np.empty(0))
    blocks = draw_groups(sample.groups, drawing.draws, drawing.seed, rows=sample.fake.size)
    drawn = np.concatenate([at(ladder.descend(weights, sample.group), x) for weights in blocks])
    low, high = band(drawn, expanded(drawing.level, groups))
    # where no draw has a value there is none to show: the curve stands for it
    return Curve(x, y, np.where(np.isfinite(low), low, y), np.where(np.isfinite(high), high, y))


def _climb(descent: Descent, draw: int) -> tuple[Floats, Floats]:
    """The ROC curve of one weighting with its first corner, (K + 1,) each."""
    return np.append(0.0, descent.fpr[draw]), np.append(0.0, descent.tpr[draw])


def _tpr_at(descent: Descent, fpr: Floats) -> Floats:
    found = np.full((len(descent.true), fpr.size), np.nan)
    for draw in range(len(found)):
        x, y = _climb(descent, draw)
        if np.isfinite(x[-1]) and np.isfinite(y[-1]):
            found[draw] = np.interp(fpr, x, y)
    return found


def _precision(descent: Descent) -> Floats:
    kept = descent.true + descent.false
    return np.asarray(np.divide(descent.true, kept, out=np.full_like(kept, np.nan), where=kept > 0))


def _precision_at(descent: Descent, recall: Floats) -> Floats:
    return _first_at(descent.tpr, _precision(descent), recall)


def _risk_at(descent: Descent, coverage: Floats) -> Floats:
    return _first_at(coverage_of(descent), risk_of(descent), coverage)


def _first_at(rising: Floats, values: Floats, wanted: Floats) -> Floats:
    """Of each weighting, the value at the first rung at which `rising` reaches each of `wanted`. (D, W)."""
    found = np.full((len(rising), wanted.size), np.nan)
    for draw, (x, y) in enumerate(zip(rising, values, strict=True)):
        if np.isfinite(x[-1]):
            found[draw] = y[np.minimum(np.searchsorted(x, wanted - _CLOSE), x.size - 1)]
    return found


def _bin_intervals(by_group: Floats, share: Floats, groups: Ints, drawing: Drawing) -> tuple[Floats, Floats]:
    count, fakes = by_group[:, 0], by_group[:, 2]
    drawn = []
    for weights in draw_groups(len(by_group), drawing.draws, drawing.seed):
        whole = weights @ count
        drawn.append(np.divide(weights @ fakes, whole, out=np.full_like(whole, np.nan), where=whole > 0))
    low, high = band(np.concatenate(drawn), expanded(drawing.level, len(by_group)))
    for place, number in enumerate(groups):
        if number < FEWEST_GROUPS or low[place] == high[place]:
            # too few groups, or all alike, for a bootstrap: as if each group were one trial
            hits = round(float(share[place]) * int(number))
            low[place], high[place] = clopper_pearson(hits, int(number), drawing.level)
    return low, high

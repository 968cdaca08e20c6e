"""One reading: all numbers of some units as the models of `metrics_schema`, what is missing with its reason."""

from __future__ import annotations

import numpy as np

from mesoscope.metrics import Estimate, Sample, Undefined, estimate_all
from mesoscope.metrics.aggregation import log_odds
from mesoscope.metrics.curves import Bins, Curve, precision_recall, reliability, risk_coverage, roc
from mesoscope.metrics.curves import Drawing as Points
from mesoscope.metrics.undefined import NO_FAKE, NO_REAL, Floats
from mesoscope_train.evaluation.drawing import Drawing
from mesoscope_train.evaluation.metrics_schema import (
    CATALOGUE,
    Absent,
    ClassReport,
    Confusion,
    Curves,
    Histogram,
    MaybeMetric,
    Metric,
    PrCurve,
    Reading,
    ReliabilityBins,
    RiskCoverage,
    RocCurve,
    Settings,
    Slice,
)
from mesoscope_train.evaluation.parts import Units, Where

ALL = tuple(CATALOGUE)
BRIEF = (
    "auc",
    "accuracy",
    "balanced_accuracy",
    "accuracy_real",
    "accuracy_fake",
    "false_positive_rate",
    "false_negative_rate",
    "answered",
    "coverage",
    "brier",
    "prevalence",
)
"""What slices and sweeps get."""
_REPORT = tuple(f"{measure}_{label}" for label in ("real", "fake") for measure in ("precision", "f1"))
_OF_CLASS = {
    "accuracy_real": "real",
    "false_positive_rate": "real",
    "accuracy_fake": "fake",
    "false_negative_rate": "fake",
    "auc": "both",
    "balanced_accuracy": "both",
}
_TAIL = 0.002
"""Share of scores at either end of a histogram's range that go into its outermost bins."""


def points_of(settings: Settings) -> Points:
    """How curves get their points and bands."""
    return Points(settings.points, settings.level, settings.draws, settings.seed)


def full_reading(where: Where, units: Units, drawing: Drawing) -> Reading:
    """Every metric, both classes' report and all curves."""
    found = drawing.reading(units, (*ALL, *_REPORT))
    return Reading(
        bundle=where.bundle,
        manifest=where.manifest,
        tier=where.tier,
        unit=units.unit,
        aggregation=units.aggregation,
        threshold=units.sample.threshold,
        lower=units.sample.lower,
        counts=units.counts(),
        metrics={name: as_metric(found[name]) for name in ALL},
        confusion=confusion(units.sample),
        classes={label: _class_report(label, units, found) for label in ("real", "fake")},
        curves=curves(units.sample.compact(), drawing.settings),
    )


def brief_reading(where: Where, units: Units, drawing: Drawing, part: Slice | None = None) -> Reading:
    """The metrics of `BRIEF`, without curves: for sweeps and, with `part`, for slices.

    In a slice, what stands on fewer than `Settings.minimum_n` answered units of a class is left out with the reason.
    """
    sample, settings = units.sample, drawing.settings
    # a slice is in no comparison
    found = estimate_all(sample.compact(), drawing.intervals, BRIEF) if part else drawing.reading(units, BRIEF)
    metrics = {name: as_metric(found[name]) for name in BRIEF}
    if part:
        metrics |= {name: few for name in metrics if (few := too_few(name, sample, settings.minimum_n))}
    return Reading(
        bundle=where.bundle,
        manifest=where.manifest,
        tier=where.tier,
        unit=units.unit,
        aggregation=units.aggregation,
        slice=part,
        threshold=units.sample.threshold,
        lower=units.sample.lower,
        counts=units.counts(),
        metrics=metrics,
        confusion=confusion(units.sample),
    )


def too_few(metric: str, sample: Sample, minimum: int) -> Absent | None:
    """Why a slice is too small for a metric of one class or of both, or None."""
    fakes = int(sample.fake.sum())
    numbers = {"fake": fakes, "real": sample.fake.size - fakes}
    wanted = _OF_CLASS.get(metric)
    for label in numbers if wanted == "both" else [wanted] if wanted else ():
        if numbers[label] < minimum:
            return _lacking(label, numbers[label], minimum)
    return None


def _lacking(label: str, number: int, minimum: int) -> Absent:
    if not number:
        return Absent(absent=(NO_FAKE if label == "fake" else NO_REAL).reason)
    return Absent(absent=f"{number} answered {label}s are fewer than {minimum}")


def as_metric(found: Estimate | Undefined) -> MaybeMetric:
    """An estimate as the model of the file."""
    if isinstance(found, Undefined):
        return Absent(absent=found.reason)
    return Metric(
        value=found.value,
        low=found.low,
        high=found.high,
        no_interval=found.no_interval,
        n=found.n,
        n_groups=found.n_groups,
    )


def confusion(sample: Sample) -> Confusion | Absent:
    """Units by truth and side of the threshold."""
    if not sample.fake.size:
        return Absent(absent="nothing was answered")
    fake, called, inside = sample.fake, sample.called_fake, sample.inconclusive

    def number(truth: bool, answer: bool) -> int:
        return int(((fake == truth) & (called == answer)).sum())

    return Confusion(
        real_as_real=number(truth=False, answer=False),
        real_as_fake=number(truth=False, answer=True),
        fake_as_real=number(truth=True, answer=False),
        fake_as_fake=number(truth=True, answer=True),
        real_as_real_inconclusive=int((inside & ~fake).sum()),
        fake_as_real_inconclusive=int((inside & fake).sum()),
    )


def _class_report(label: str, units: Units, found: dict[str, Estimate | Undefined]) -> ClassReport:
    fake = label == "fake"
    return ClassReport(
        precision=as_metric(found[f"precision_{label}"]),
        recall=as_metric(found[f"accuracy_{label}"]),
        f1=as_metric(found[f"f1_{label}"]),
        support=int((units.sample.fake == fake).sum()),
    )


def curves(sample: Sample, settings: Settings) -> Curves:
    """The points of all figures of a reading."""
    points = points_of(settings)
    return Curves(
        roc=_roc(roc(sample, points), sample),
        precision_recall=_precision_recall(precision_recall(sample, points), sample),
        reliability=_reliability(reliability(sample, settings.bins, points)),
        probabilities=_probabilities(sample, settings.histogram_bins),
        logits=_logits(sample, settings.histogram_bins),
        risk_coverage=_risk_coverage(risk_coverage(sample, points), sample),
    )


def _shares(values: Floats) -> list[float]:
    """To a list; rounding may leave 1 + 1e-16."""
    return [float(value) for value in np.clip(values, 0.0, 1.0)]


def _roc(curve: Curve | Undefined, sample: Sample) -> RocCurve | Absent:
    if isinstance(curve, Undefined):
        return Absent(absent=curve.reason)
    called = sample.called_fake
    return RocCurve(
        fpr=_shares(curve.x),
        tpr=_shares(curve.y),
        low=_shares(curve.low),
        high=_shares(curve.high),
        at_threshold=(float(called[~sample.fake].mean()), float(called[sample.fake].mean())),
    )


def _precision_recall(curve: Curve | Undefined, sample: Sample) -> PrCurve | Absent:
    if isinstance(curve, Undefined):
        return Absent(absent=curve.reason)
    called = sample.called_fake
    return PrCurve(
        recall=_shares(curve.x),
        precision=_shares(curve.y),
        low=_shares(curve.low),
        high=_shares(curve.high),
        prevalence=float(sample.fake.mean()),
        at_threshold=(float(called[sample.fake].mean()), float(sample.fake[called].mean())) if called.any() else None,
    )


def _reliability(bins: Bins | Undefined) -> ReliabilityBins | Absent:
    if isinstance(bins, Undefined):
        return Absent(absent=bins.reason)
    return ReliabilityBins(
        lower=_shares(bins.lower),
        upper=_shares(bins.upper),
        mean_probability=_shares(bins.mean_probability),
        share_fake=_shares(bins.share_fake),
        low=_shares(bins.low),
        high=_shares(bins.high),
        n=bins.n.tolist(),
    )


def _risk_coverage(curve: Curve | Undefined, sample: Sample) -> RiskCoverage | Absent:
    if isinstance(curve, Undefined):
        return Absent(absent=curve.reason)
    clear = ~sample.inconclusive
    wrong = sample.fake != sample.called_fake
    banded = sample.lower < sample.threshold and clear.any()
    return RiskCoverage(
        coverage=_shares(curve.x),
        risk=_shares(curve.y),
        low=_shares(curve.low),
        high=_shares(curve.high),
        at_band=(float(clear.mean()), float(wrong[clear].mean())) if banded else None,
    )


def _probabilities(sample: Sample, bins: int) -> Histogram | Absent:
    if not sample.fake.size:
        return Absent(absent="nothing was answered")
    return _histogram(sample.probability, sample.fake, np.linspace(0, 1, bins + 1), sample.threshold)


def _logits(sample: Sample, bins: int) -> Histogram | Absent:
    if not sample.fake.size:
        return Absent(absent="nothing was answered")
    low, high = np.quantile(sample.logit, (_TAIL, 1 - _TAIL))
    if low == high:
        low, high = low - 0.5, high + 0.5
    return _histogram(sample.logit, sample.fake, np.linspace(low, high, bins + 1), _threshold_logit(sample))


def _histogram(values: Floats, fake: np.ndarray, edges: Floats, at: float | None) -> Histogram:
    inside = np.clip(values, edges[0], edges[-1])
    real, fakes = (np.histogram(inside[side], edges)[0].tolist() for side in (~fake, fake))
    return Histogram(edges=edges.tolist(), real=real, fake=fakes, at_threshold=at)


def _threshold_logit(sample: Sample) -> float | None:
    """The logit at which the probability is the threshold, if it lies among those seen."""
    order = np.argsort(sample.logit, kind="stable")
    odds = log_odds(sample.probability[order])
    wanted = float(log_odds(np.array([sample.threshold]))[0])
    if not odds[0] <= wanted <= odds[-1]:
        return None
    return float(np.interp(wanted, odds, sample.logit[order]))

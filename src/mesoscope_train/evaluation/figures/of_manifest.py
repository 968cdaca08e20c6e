"""The figures of one manifest, all bundles in each: curves, answers, scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mesoscope_train.evaluation.content import Chart
from mesoscope_train.evaluation.figures.confusion import Matrix, draw_confusions
from mesoscope_train.evaluation.figures.curves import Line, draw_precision_recall, draw_risk_coverage, draw_roc
from mesoscope_train.evaluation.figures.scores import ReliabilityPanel, ScorePanel, draw_reliability, draw_scores
from mesoscope_train.evaluation.metrics_schema import (
    Absent,
    Confusion,
    Curves,
    Histogram,
    Metrics,
    PrCurve,
    Reading,
    ReliabilityBins,
    RiskCoverage,
    RocCurve,
)
from mesoscope_train.evaluation.wording import AGGREGATIONS, UNITS, counted, drawn_by, estimate, sign, signs_told
from mesoscope_train.figures import shortened, shortened_apart

_PANEL_NAME = 30


def manifest_charts(metrics: Metrics, manifest: str, slug: str) -> Iterator[Chart]:
    """Every figure that this manifest's whole, clean readings allow.

    Args:
        metrics: of the evaluation.
        manifest: its name.
        slug: that name as part of a file's name.
    """
    clean = [one for one in metrics.find(manifest=manifest, slice=None) if one.curves is not None]
    clean = [one for one in clean if one.tier == first_tier(clean)]
    pictures = [one for one in clean if one.unit == "picture"]
    for draw in _DRAWN:
        if pictures:
            yield from draw(metrics, pictures, slug)
    for unit, aggregation in dict.fromkeys((one.unit, one.aggregation) for one in clean if one.aggregation):
        if aggregation == "mean" or not pictures:
            yield from _roc(
                metrics, [one for one in clean if (one.unit, one.aggregation) == (unit, aggregation)], slug
            )


def first_tier(readings: Sequence[Reading]) -> str:
    """The tier that figures of a manifest are drawn at: clean where there is one."""
    tiers = [one.tier for one in readings]
    return "clean" if "clean" in tiers or not tiers else tiers[0]


def bundle_names(metrics: Metrics, readings: Sequence[Reading], length: int = 40) -> list[str]:
    """The readings' bundles, short enough for a figure, with their marks."""
    short = shortened_apart([one.bundle for one in readings], length)
    return [
        f"{name} {sign(metrics, one.bundle, one.manifest)}".strip() for name, one in zip(short, readings, strict=True)
    ]


def _curves(readings: Sequence[Reading], name: str) -> list[Reading]:
    return [one for one in readings if not isinstance(getattr(_of(one), name), Absent)]


def _of(reading: Reading) -> Curves:
    if reading.curves is None:
        raise ValueError(f"the reading of {reading.bundle} on {reading.manifest} has no curves")
    return reading.curves


def _titled(readings: Sequence[Reading], what: str) -> str:
    first = readings[0]
    tier = "" if first.tier == "clean" else f", {first.tier}"
    unit = "" if first.aggregation is None else f", by {first.unit} ({AGGREGATIONS[first.aggregation]})"
    return f"{what}: {shortened(first.manifest)}{tier}{unit}"


def _roc(metrics: Metrics, readings: Sequence[Reading], slug: str) -> Iterator[Chart]:
    readings = _curves(readings, "roc")
    if not readings:
        return
    lines = []
    for name, one in zip(bundle_names(metrics, readings), readings, strict=True):
        curve = _of(one).roc
        if isinstance(curve, RocCurve):
            label = f"{name}: AUC {estimate(one.metrics.get('auc'))}"
            lines.append(Line(label, curve.fpr, curve.tpr, curve.low, curve.high, curve.at_threshold))
    first = readings[0]
    note = (
        f"{counted(readings)}. Bands: {drawn_by(metrics, first.manifest)}, pointwise. "
        f"Marks: the bundle’s own threshold.{signs_told(metrics, readings)}"
    )
    figure = draw_roc(lines, title=_titled(readings, "Fakes found against false alarms"), note=note)
    name = f"roc-{slug}" if first.unit == "picture" else f"roc-{slug}-{first.unit}"
    caption = (
        f"ROC on {first.manifest}, counted in {UNITS[first.unit][1]}: a curve in the upper left corner tells fakes "
        "from reals; on the dotted line it guesses."
    )
    yield Chart(name, figure, caption, first.manifest, "roc")


def _precision_recall(metrics: Metrics, readings: Sequence[Reading], slug: str) -> Iterator[Chart]:
    readings = _curves(readings, "precision_recall")
    if not readings:
        return
    lines, rate = [], 0.0
    for name, one in zip(bundle_names(metrics, readings), readings, strict=True):
        curve = _of(one).precision_recall
        if isinstance(curve, PrCurve):
            label = f"{name}: AP {estimate(one.metrics.get('average_precision'))}"
            lines.append(Line(label, curve.recall, curve.precision, curve.low, curve.high, curve.at_threshold))
            rate = curve.prevalence
    first = readings[0]
    note = (
        f"{counted(readings)}. Bands: {drawn_by(metrics, first.manifest)}. Marks: the bundle’s own threshold."
        f"{signs_told(metrics, readings)}"
    )
    figure = draw_precision_recall(lines, title=_titled(readings, "Precision and recall"), note=note, base_rate=rate)
    caption = (
        "Of the files called fake, how many are (precision), against how many fakes are found (recall), if "
        f"{100 * rate:.0f} % of all are fake, as here. Where fakes are rarer, precision is lower."
    )
    yield Chart(f"precision-recall-{slug}", figure, caption, first.manifest, "precision-recall", wide=False)


def _risk_coverage(metrics: Metrics, readings: Sequence[Reading], slug: str) -> Iterator[Chart]:
    readings = _curves(readings, "risk_coverage")
    if not readings:
        return
    lines = []
    for name, one in zip(bundle_names(metrics, readings), readings, strict=True):
        curve = _of(one).risk_coverage
        if isinstance(curve, RiskCoverage):
            label = f"{name}: AURC {estimate(one.metrics.get('aurc'))}"
            lines.append(Line(label, curve.coverage, curve.risk, curve.low, curve.high, curve.at_band))
    first = readings[0]
    note = (
        f"{counted(readings)}. Bands: {drawn_by(metrics, first.manifest)}. "
        f"Marks: the bundle’s inconclusive band put aside.{signs_told(metrics, readings)}"
    )
    figure = draw_risk_coverage(lines, title=_titled(readings, "Risk against coverage"), note=note)
    caption = (
        "How many answers are wrong if only the surest are given. A useful detector’s line falls to the left: when "
        "it is sure, it is right."
    )
    yield Chart(f"risk-coverage-{slug}", figure, caption, first.manifest, "risk-coverage", wide=False)


def _confusion(metrics: Metrics, readings: Sequence[Reading], slug: str) -> Iterator[Chart]:
    matrices = [
        _matrix(name, one, one.confusion)
        for name, one in zip(bundle_names(metrics, readings, _PANEL_NAME), readings, strict=True)
        if isinstance(one.confusion, Confusion)
    ]
    if not matrices:
        return
    first = readings[0]
    note = (
        "Rows: the truth, with its number. Columns: what was said at the bundle’s threshold; those in the "
        "inconclusive band stand on their side of it. No answer: errors, and pictures that the bundle cannot judge."
        f"{signs_told(metrics, readings)}"
    )
    figure = draw_confusions(matrices, title=_titled(readings, "What was said of reals and of fakes"), note=note)
    caption = "Confusion matrices: counts and shares of their row. Outlined: wrong."
    yield Chart(f"confusion-{slug}", figure, caption, first.manifest, "confusion", wide=len(matrices) > 1)


def _matrix(name: str, reading: Reading, found: Confusion) -> Matrix:
    counts = reading.counts
    return Matrix(
        name,
        {
            "real": (found.real_as_real, found.real_as_fake, counts.real - counts.answered_real),
            "fake": (found.fake_as_real, found.fake_as_fake, counts.fake - counts.answered_fake),
        },
        {
            "real": (found.real_as_real_inconclusive, counts.inconclusive_real - found.real_as_real_inconclusive),
            "fake": (found.fake_as_real_inconclusive, counts.inconclusive_fake - found.fake_as_real_inconclusive),
        },
    )


def _scores(metrics: Metrics, readings: Sequence[Reading], slug: str) -> Iterator[Chart]:
    panels = []
    for name, one in zip(bundle_names(metrics, readings, _PANEL_NAME), readings, strict=True):
        found = _of(one).probabilities
        if isinstance(found, Histogram):
            panels.append(ScorePanel(name, found, one.threshold, one.lower))
    if not panels:
        return
    first = readings[0]
    figure = draw_scores(
        panels,
        title=_titled(readings, "Scores of reals and of fakes"),
        note=f"{counted(readings)}. Upwards: real; downwards: fake; dashed: the bundle’s threshold."
        f"{signs_told(metrics, readings)}",
    )
    caption = (
        "How the scores of each class are spread, as shares of the class. What is real (upwards) and right of the "
        "dashed line is a false alarm; what is fake (downwards) and left of it is missed."
    )
    yield Chart(f"scores-{slug}", figure, caption, first.manifest, "scores", wide=len(panels) > 1)


def _reliability(metrics: Metrics, readings: Sequence[Reading], slug: str) -> Iterator[Chart]:
    panels = []
    for name, one in zip(bundle_names(metrics, readings, _PANEL_NAME), readings, strict=True):
        found = _of(one).reliability
        if isinstance(found, ReliabilityBins):
            panels.append(ReliabilityPanel(f"{name}\nECE {estimate(one.metrics.get('ece'))}", found))
    if not panels:
        return
    first = readings[0]
    note = (
        f"{counted(readings)}. Bars: {drawn_by(metrics, first.manifest)}. Coloured: how far what was said is off. "
        f"Below: {UNITS[first.unit][1]} in each bin.{signs_told(metrics, readings)}"
    )
    figure = draw_reliability(panels, title=_titled(readings, "Reliability, does 90 % mean nine in ten"), note=note)
    uncalibrated = {one.name for one in metrics.bundles if not one.calibrated} & {one.bundle for one in readings}
    caption = "Reliability: on the dotted line, what a bundle says is what happens. Above it fakes are more frequent."
    if uncalibrated:
        caption += f" Not calibrated, so no probabilities: {', '.join(sorted(uncalibrated))}."
    yield Chart(f"reliability-{slug}", figure, caption, first.manifest, "reliability", wide=len(panels) > 1)


_DRAWN: Sequence[Callable[[Metrics, Sequence[Reading], str], Iterator[Chart]]] = (
    _roc,
    _precision_recall,
    _risk_coverage,
    _confusion,
    _scores,
    _reliability,
)

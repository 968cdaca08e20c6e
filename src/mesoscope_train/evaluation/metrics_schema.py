"""What ``metrics.json`` says, as typed models. Schema version 1; documented in ``docs/metrics-json.md``.

A number that can be computed is a `Metric`; one that cannot is an `Absent` with the reason. Nothing is NaN, and no
number stands for a failure. All shares, rates and areas are in [0, 1]. "Fake" is the positive class everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from mesoscope.atomic import explained, replacing
from mesoscope.errors import UsageError

SCHEMA_VERSION = 1
Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Unit = Literal["picture", "video", "group"]
"""What a number counts: pictures; videos (rows of one ``source_video``); or groups, where no video is named."""
Aggregation = Literal["mean", "top-k", "per-track"]
"""A video's logit: mean of its rows; mean of its k highest (k = 10 %, at least 1); highest track's mean."""
Better = Literal["higher", "lower", "neither"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Named:
    """What a metric is called and means.

    Attributes:
        title: for a table's head or an axis.
        meaning: one sentence a journalist understands.
        better: which direction is good.
        share: whether it lies in [0, 1] and may be printed as a percentage.
    """

    title: str
    meaning: str
    better: Better
    share: bool = True


CATALOGUE: dict[str, Named] = {
    "auc": Named("AUC", "Chance that a fake scores above a real one; 0.5 is a coin.", "higher"),
    "average_precision": Named(
        "average precision", "Area under precision over recall; chance = share of fakes.", "higher"
    ),
    "eer": Named("EER", "Error rate where as large a share of reals as of fakes is mistaken.", "lower"),
    "recall_at_fpr_1": Named(
        "recall at 1 % FPR", "Fakes found if 1 % of these very reals may be called fake.", "higher"
    ),
    "recall_at_fpr_5": Named(
        "recall at 5 % FPR", "Fakes found if 5 % of these very reals may be called fake.", "higher"
    ),
    "accuracy": Named("accuracy", "Right answers among the answered, at the bundle's threshold.", "higher"),
    "accuracy_at_half": Named(
        "accuracy at one half",
        "Right answers if the plain sigmoid says fake from one half on, as papers count; no calibration, no band.",
        "higher",
    ),
    "balanced_accuracy": Named(
        "balanced accuracy", "Mean of the shares of reals and of fakes that are right.", "higher"
    ),
    "accuracy_real": Named("accuracy on reals", "Reals called real (the recall of that class).", "higher"),
    "accuracy_fake": Named("accuracy on fakes", "Fakes called fake (the recall of that class).", "higher"),
    "false_positive_rate": Named("false-positive rate", "Reals called fake.", "lower"),
    "false_negative_rate": Named("false-negative rate", "Fakes called real.", "lower"),
    "accuracy_all": Named(
        "accuracy of all", "Right among all pictures; no answer and inconclusive count as wrong.", "higher"
    ),
    "answered": Named("answered", "Pictures that got a score (no error, not inapplicable).", "higher"),
    "coverage": Named("coverage", "Pictures that got a clear answer, fake or real, of all.", "higher"),
    "conclusive_accuracy": Named(
        "accuracy where sure", "Right among the clear answers (outside the band).", "higher"
    ),
    "log_loss": Named(
        "log-loss", "Mean negative logarithm of the probability of the truth, in nats.", "lower", False
    ),
    "brier": Named("Brier score", "Mean squared distance of probability and truth.", "lower"),
    "ece": Named("ECE", "Mean distance of stated probability and observed share of fakes, over bins.", "lower"),
    "mse_labels": Named("MSE of labels", "Mean squared error of the thresholded answers: 1 - accuracy.", "lower"),
    "rmse_labels": Named("RMSE of labels", "Its square root.", "lower"),
    "mse_scores": Named("MSE of scores", "Mean squared error of the probabilities: the Brier score.", "lower"),
    "rmse_scores": Named("RMSE of scores", "Its square root.", "lower"),
    "aurc": Named("AURC", "Mean share of mistakes while the least sure are put aside one by one.", "lower"),
    "prevalence": Named("share of fakes", "Fakes among the answered; what precision depends on.", "neither"),
}
"""Every name that `Reading.metrics` may hold, in the order of tables."""


class Metric(_Strict):
    """A number with its interval.

    Attributes:
        value: the estimate, from all its units.
        low, high: the interval (`Settings.level`), bootstrapped by group; null where there is none.
        no_interval: why not, exactly where `low` and `high` are null.
        n: units counted (the metric's own denominator: reals only for a false-positive rate).
        n_groups: groups they come from.
    """

    value: float
    low: float | None = None
    high: float | None = None
    no_interval: str | None = None
    n: Count
    n_groups: Count

    @model_validator(mode="after")
    def _an_interval_or_a_reason(self) -> Metric:
        missing = [edge is None for edge in (self.low, self.high)]
        if any(missing) != all(missing) or all(missing) != (self.no_interval is not None):
            raise ValueError("low and high come together, or there is a reason in no_interval")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"the interval {self.low} to {self.high} is upside down")
        return self


class Absent(_Strict):
    """A number that cannot be computed, and why, as a clause fit for a table's footnote."""

    absent: Annotated[str, Field(min_length=1)]


MaybeMetric = Metric | Absent


class Slice(_Strict):
    """A part of a manifest.

    Attributes:
        column: of the manifest, or ``size_quartile``, ``brightness_quartile``.
        value: as text; ``(none)`` where the column is empty.
        title: for people: ``gender = female``, ``size: smallest quarter (36 to 90 px)``.
    """

    column: str
    value: str
    title: str


class Counts(_Strict):
    """Units of a reading; the outcomes with no score are counted here and nowhere else.

    Attributes:
        real, fake: all units by label, with or without a score.
        answered_real, answered_fake: those with a score; what the metrics count.
        error_real, error_fake, not_applicable_real, not_applicable_fake: without a score.
        inconclusive_real, inconclusive_fake: with a score inside the band (also in `answered_…`).
        groups: groups of the answered.
        reasons: reason of an error or of a not_applicable to how many (the most frequent 20).
    """

    real: Count
    fake: Count
    answered_real: Count
    answered_fake: Count
    error_real: Count = 0
    error_fake: Count = 0
    not_applicable_real: Count = 0
    not_applicable_fake: Count = 0
    inconclusive_real: Count = 0
    inconclusive_fake: Count = 0
    groups: Count
    reasons: dict[str, Count] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _nothing_is_lost(self) -> Counts:
        for label in ("real", "fake"):
            answered, error, not_applicable, inconclusive = (
                getattr(self, f"{name}_{label}") for name in ("answered", "error", "not_applicable", "inconclusive")
            )
            if getattr(self, label) != answered + error + not_applicable or inconclusive > answered:
                raise ValueError(f"the counts of {label} do not add up")
        return self

    @property
    def total(self) -> int:
        """All units."""
        return self.real + self.fake


class Confusion(_Strict):
    """Answered units by truth and side of the threshold: ``fake_as_real`` is a fake called real.

    The ``…_inconclusive`` of each cell are those inside the band, contained in the cell.
    """

    real_as_real: Count
    real_as_fake: Count
    fake_as_real: Count
    fake_as_fake: Count
    real_as_real_inconclusive: Count = 0
    fake_as_real_inconclusive: Count = 0


class ClassReport(_Strict):
    """Precision, recall and F1 of one class taken as the positive one; `support` is its number of units."""

    precision: MaybeMetric
    recall: MaybeMetric
    f1: MaybeMetric
    support: Count


class _Points(_Strict):
    """Equally long lists, one entry a point."""

    @model_validator(mode="after")
    def _equally_long(self) -> _Points:
        lengths = {name: len(value) for name, value in self if isinstance(value, list) and value}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"lists of one curve have different lengths: {lengths}")
        return self


class RocCurve(_Points):
    """Points of the ROC curve, from (0, 0) to (1, 1), thinned to at most `Settings.points` for drawing.

    Attributes:
        fpr, tpr: the curve.
        low, high: band of `tpr` at that `fpr`, pointwise, bootstrapped by group; empty where there is no interval.
        at_threshold: (fpr, tpr) of the bundle's threshold.
    """

    fpr: list[Share]
    tpr: list[Share]
    low: list[Share] = Field(default_factory=list)
    high: list[Share] = Field(default_factory=list)
    at_threshold: tuple[Share, Share]


class PrCurve(_Points):
    """Precision over recall, recall rising.

    Attributes:
        recall, precision: the curve.
        low, high: band of `precision` at that `recall`; empty where there is no interval.
        prevalence: share of fakes; what a coin's precision would be.
        at_threshold: (recall, precision) of the bundle's threshold; null where nothing is called fake.
    """

    recall: list[Share]
    precision: list[Share]
    low: list[Share] = Field(default_factory=list)
    high: list[Share] = Field(default_factory=list)
    prevalence: Share
    at_threshold: tuple[Share, Share] | None


class ReliabilityBins(_Points):
    """Probabilities in bins of equal width; empty bins are left out.

    Attributes:
        lower, upper: edges of the bin; [lower, upper), the last one closed.
        mean_probability: mean of what was said.
        share_fake: share of fakes that there were; `low`, `high`: its interval, bootstrapped by group.
        n: units.
    """

    lower: list[Share]
    upper: list[Share]
    mean_probability: list[Share]
    share_fake: list[Share]
    low: list[Share] = Field(default_factory=list)
    high: list[Share] = Field(default_factory=list)
    n: list[Count]


class Histogram(_Strict):
    """Units per bin and class.

    Attributes:
        edges: one more than there are bins, rising.
        real, fake: units per bin, [edge, next edge), the last one closed.
        at_threshold: the bundle's threshold on this axis; null where it is infinite there.
    """

    edges: list[float]
    real: list[Count]
    fake: list[Count]
    at_threshold: float | None

    @model_validator(mode="after")
    def _edges_enclose_bins(self) -> Histogram:
        if not len(self.edges) - 1 == len(self.real) == len(self.fake):
            raise ValueError("a histogram has one edge more than bins")
        return self


class RiskCoverage(_Points):
    """Share of mistakes among the surest answers, against how many are kept; coverage rising, of the answered.

    Attributes:
        coverage, risk: the curve; sure = far from the threshold (in the logit).
        low, high: band of `risk`; empty where there is no interval.
        at_band: (coverage, risk) where the bundle's inconclusive answers are put aside; null where it has no band
            or none is outside.
    """

    coverage: list[Share]
    risk: list[Share]
    low: list[Share] = Field(default_factory=list)
    high: list[Share] = Field(default_factory=list)
    at_band: tuple[Share, Share] | None


class Curves(_Strict):
    """What the figures of one reading are drawn from."""

    roc: RocCurve | Absent
    precision_recall: PrCurve | Absent
    reliability: ReliabilityBins | Absent
    probabilities: Histogram | Absent
    logits: Histogram | Absent
    risk_coverage: RiskCoverage | Absent


class Key(_Strict):
    """Which reading: bundle, manifest, tier, unit and slice.

    Attributes:
        bundle: name-version.
        manifest: name (file stem, made unique).
        tier: ``clean``, ``web``, ``hard``, ``messenger``, or of a sweep ``jpeg-60``.
        unit: what is counted; `aggregation` says how a video's rows become one score, null for pictures.
        slice: null for the whole manifest.
    """

    bundle: str
    manifest: str
    tier: str
    unit: Unit
    aggregation: Aggregation | None = None
    slice: Slice | None = None

    @model_validator(mode="after")
    def _only_many_are_aggregated(self) -> Key:
        if (self.unit == "picture") != (self.aggregation is None):
            raise ValueError("videos and groups have an aggregation, pictures have none")
        return self


class Reading(Key):
    """Everything measured of one key.

    Attributes:
        threshold: probability from which on a unit is called fake; `lower`: below it, it is called real.
        counts: nothing is left out.
        metrics: name (of `CATALOGUE`) to number or reason. Of slices only some are given.
        confusion: at the threshold.
        classes: ``real`` and ``fake``; empty for slices and sweeps.
        curves: null for slices and sweeps.
    """

    threshold: Share
    lower: Share
    counts: Counts
    metrics: dict[str, MaybeMetric]
    confusion: Confusion | Absent
    classes: dict[Literal["real", "fake"], ClassReport] = Field(default_factory=dict)
    curves: Curves | None = None

    @field_validator("metrics")
    @classmethod
    def _known(cls, metrics: dict[str, MaybeMetric]) -> dict[str, MaybeMetric]:
        unknown = sorted(set(metrics) - set(CATALOGUE))
        if unknown:
            raise ValueError(f"no such metric: {', '.join(unknown)}")
        return metrics

    def value(self, name: str) -> float | None:
        """A metric's value, or None where it is absent or was not asked for."""
        found = self.metrics.get(name)
        return found.value if isinstance(found, Metric) else None


class PValue(_Strict):
    """The outcome of a test of "there is no difference".

    Attributes:
        name: ``DeLong``, ``DeLong by group``, ``McNemar, exact`` … and the source in docs/metrics-json.md.
        p: two-sided.
        p_holm: corrected for all tests of its family (`family` tests), null where it stands alone.
        q: false-discovery rate (Benjamini and Hochberg) in that family, null where it stands alone.
        family: how many tests were corrected for.
    """

    name: str
    p: Share
    p_holm: Share | None = None
    q: Share | None = None
    family: Annotated[int, Field(ge=1)] = 1


class Gap(Key):
    """A slice against the rest of the manifest, in one metric. `slice` is never null.

    Attributes:
        metric: ``false_positive_rate``, ``accuracy_fake``, ``auc`` …
        inside, outside: the metric of the slice and of the rest.
        difference: inside minus outside, with interval by group.
        test: corrected over all gaps of the same bundle, manifest, tier and unit; or why there is none.
        significant: corrected p below 1 - `Settings.level`.
    """

    metric: str
    inside: MaybeMetric
    outside: MaybeMetric
    difference: MaybeMetric
    test: PValue | Absent
    significant: bool

    @model_validator(mode="after")
    def _of_a_slice(self) -> Gap:
        if self.slice is None:
            raise ValueError("a gap is of a slice")
        return self


class SliceColumn(_Strict):
    """What was done with a column that slices were asked of, for one manifest.

    Attributes:
        manifest, column: which.
        values: those with a reading of their own.
        too_few: value to units, of those below the minimum; they have no reading.
        absent: why the column gives no slices here, else null.
    """

    manifest: str
    column: str
    values: list[str] = Field(default_factory=list)
    too_few: dict[str, Count] = Field(default_factory=dict)
    absent: str | None = None


class Comparison(_Strict):
    """Two bundles on the same units of the same manifest: `first` minus `second`, paired.

    Attributes:
        first, second: bundles, name-version.
        manifest, tier, unit, aggregation: as in `Key`.
        n, n_groups: units with a score of both, and their groups. `left_out`: units that lack one.
        metric: ``auc`` or ``accuracy``.
        first_value, second_value: on those units.
        difference: first minus second with interval by group (paired bootstrap).
        tests: for pictures counted one by one, and by group; which one holds is said by `decisive`.
        decisive: name of the test to believe: by group wherever groups hold more than one unit.
        significant: its p (corrected where there are several pairs) is below 1 - `Settings.level`.
    """

    first: str
    second: str
    manifest: str
    tier: str
    unit: Unit
    aggregation: Aggregation | None = None
    n: Count
    n_groups: Count
    left_out: Count
    metric: str
    first_value: MaybeMetric
    second_value: MaybeMetric
    difference: MaybeMetric
    tests: list[PValue]
    decisive: str | None
    significant: bool


class Fall(_Strict):
    """How far a bundle's AUC or accuracy falls from one reading to another.

    Attributes:
        kind: ``manifest`` (from the manifest on which the bundle's AUC is highest to another one, both clean) or
            ``tier`` (from clean to a tier, same pictures, paired).
        bundle, unit, aggregation: of both readings.
        metric: ``auc`` or ``accuracy``.
        from_manifest, from_tier, to_manifest, to_tier: the readings.
        from_value, to_value: the metric there.
        difference: to minus from; negative is a fall.
    """

    kind: Literal["manifest", "tier"]
    bundle: str
    unit: Unit
    aggregation: Aggregation | None = None
    metric: str
    from_manifest: str
    from_tier: str
    to_manifest: str
    to_tier: str
    from_value: MaybeMetric
    to_value: MaybeMetric
    difference: MaybeMetric


class BundleFacts(_Strict):
    """A bundle that was measured.

    Attributes:
        name: name-version; `sha256` of its bundle.json.
        threshold, lower: of its verdict at the evaluation's budget.
        calibrated: false where the probability is the plain sigmoid and the threshold 0.5.
    """

    name: str
    sha256: str
    threshold: Share
    lower: Share
    calibrated: bool


class ManifestFacts(_Strict):
    """A manifest that was measured on.

    Attributes:
        name: file stem, made unique; `sha256`: its digest.
        rows, real, fake: pictures.
        datasets: names, with their pictures.
        splits: ``train``, ``validation``, ``test`` or ``(none)`` to pictures.
        groups: how many.
        grouping: what the bootstrap draws, in words: ``group`` or ``each picture by itself (…why)``.
        again: whether its test part had been evaluated before with one of these bundles.
    """

    name: str
    sha256: str
    rows: Count
    real: Count
    fake: Count
    datasets: dict[str, Count]
    splits: dict[str, Count]
    groups: Count
    grouping: str
    again: bool = False


class TierFacts(_Strict):
    """A degree of degradation.

    Attributes:
        name: as in `Key.tier`.
        operation: of a sweep ``jpeg``, ``blur``, ``scale``, ``noise`` …, with its `level`; null for the others.
    """

    name: str
    operation: str | None = None
    level: float | None = None


class Caution(_Strict):
    """Something a reader must know.

    Attributes:
        code: ``uncalibrated``, ``again``, ``trained-on``, ``one-class``, ``small``, ``no-groups``, ``unanswered`` …
        message: one sentence with the numbers.
        bundle, manifest: whom it concerns; null for all.
    """

    code: str
    message: str
    bundle: str | None = None
    manifest: str | None = None


class Settings(_Strict):
    """How it was measured; the same settings and the same scores give the same file.

    Attributes:
        level: of the intervals.
        draws, seed: of the bootstrap.
        bins: of the reliability plot and the ECE.
        histogram_bins: of the histograms.
        points: at most so many on a curve.
        minimum_n: units a slice needs, and answered units of a class that a rate of it needs there.
        slices: columns asked for.
    """

    level: Annotated[float, Field(gt=0, lt=1)] = 0.95
    draws: Annotated[int, Field(ge=100)] = 1000
    seed: int = 0
    bins: Annotated[int, Field(ge=2)] = 15
    histogram_bins: Annotated[int, Field(ge=2)] = 40
    points: Annotated[int, Field(ge=10)] = 200
    minimum_n: Annotated[int, Field(ge=1)] = 30
    slices: tuple[str, ...] = ()


class Provenance(_Strict):
    """Where the numbers come from.

    Attributes:
        mesoscope: version of the program that measured; `scored_by` of the one that scored.
        command: that scored, as typed; `date`: of the scoring, ISO 8601.
        scores_sha256: of the content of ``scores.parquet``; null where it was measured from memory.
        max_fpr: the false-positive budget asked for, else null.
    """

    mesoscope: str
    scored_by: str
    command: str
    date: str
    scores_sha256: str | None = None
    max_fpr: Share | None = None


class Metrics(_Strict):
    """The whole of ``metrics.json``."""

    schema_version: Literal[1] = 1
    provenance: Provenance
    settings: Settings
    bundles: list[BundleFacts]
    manifests: list[ManifestFacts]
    tiers: list[TierFacts]
    warnings: list[Caution]
    readings: list[Reading]
    slice_columns: list[SliceColumn]
    gaps: list[Gap]
    comparisons: list[Comparison]
    falls: list[Fall]

    def find(self, **key: Any) -> Iterable[Reading]:  # noqa: ANN401 - values of a key's fields
        """Readings whose fields equal those given: ``find(bundle="b-1", tier="clean", slice=None)``."""
        return (one for one in self.readings if all(getattr(one, name) == value for name, value in key.items()))

    def to_json(self) -> str:
        """As JSON text."""
        return self.model_dump_json(indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Metrics:
        """Read what `to_json` wrote.

        Raises:
            UsageError: it is not that, or of another schema.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the file"
            raise UsageError(f"this is not the metrics.json of an evaluation: {where}: {first['msg']}") from None

    def write(self, path: Path) -> None:
        """Write the JSON; whole or not at all.

        Raises:
            UsageError: the file cannot be written.
        """
        with replacing(path) as partial, explained(path):
            partial.write_text(self.to_json(), encoding="utf-8")

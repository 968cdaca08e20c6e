"""What a reader must know before a number: said from the numbers themselves, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mesoscope_train.evaluation.metrics_schema import (
    BundleFacts,
    Caution,
    Gap,
    ManifestFacts,
    Metric,
    PValue,
    Reading,
)

SMALL = 100
"""Fewer units of a class than this make wide intervals."""
_MOST_GAPS = 3
"""Sentences about gaps for each bundle and manifest, the surest first."""


def cautions_of(
    bundles: Sequence[BundleFacts],
    manifests: Sequence[ManifestFacts],
    readings: Sequence[Reading],
    gaps: Sequence[Gap],
    said: Sequence[Caution],
) -> list[Caution]:
    """Cautions in the order: bundles, manifests, what was not answered, gaps; none that was said already."""
    before = {(one.code, one.bundle, one.manifest) for one in said}
    found = [
        *(_uncalibrated(bundle) for bundle in bundles if not bundle.calibrated),
        *(caution for manifest in manifests for caution in _of_manifest(manifest)),
        *_unanswered(readings),
        *_gaps(gaps),
    ]
    return [one for one in found if (one.code, one.bundle, one.manifest) not in before]


def _uncalibrated(bundle: BundleFacts) -> Caution:
    return Caution(
        code="uncalibrated",
        bundle=bundle.name,
        message=(
            f"{bundle.name} was never calibrated: its probability is the plain sigmoid and its threshold "
            f"{bundle.threshold:g}; what stands on a threshold or a probability says little of it, AUC does"
        ),
    )


def _of_manifest(manifest: ManifestFacts) -> Iterator[Caution]:
    name = manifest.name
    numbers = {"real": manifest.real, "fake": manifest.fake}
    absent = [label for label, number in numbers.items() if not number]
    if absent:
        other = "reals" if absent == ["fake"] else "fakes"
        yield Caution(
            code="one-class",
            manifest=name,
            message=f"{name} holds {other} only: nothing that takes both classes (AUC, EER …) can be said there",
        )
    small = [f"{number} {label}s" for label, number in numbers.items() if 0 < number < SMALL]
    if small:
        yield Caution(
            code="small",
            manifest=name,
            message=f"{name} is small ({' and '.join(small)}): the intervals are wide, and differences hardly show",
        )
    if manifest.grouping.endswith("names no groups"):
        yield Caution(
            code="no-groups",
            manifest=name,
            message=(
                f"{name} names no groups: every picture counts as independent; if several show the same video or "
                "person, the intervals are too narrow"
            ),
        )
    training = manifest.splits.get("train", 0)
    if training:
        yield Caution(
            code="train-rows",
            manifest=name,
            message=(
                f"{training} of the {manifest.rows} pictures of {name} are of that manifest's training part: "
                "a bundle trained by it has learned from them"
            ),
        )


def _unanswered(readings: Sequence[Reading]) -> Iterator[Caution]:
    for one in readings:
        counts = one.counts
        missing = counts.total - counts.answered_real - counts.answered_fake
        if not missing or one.slice is not None or one.unit != "picture" or one.tier != readings[0].tier:
            continue
        errors = counts.error_real + counts.error_fake
        yield Caution(
            code="unanswered",
            bundle=one.bundle,
            manifest=one.manifest,
            message=(
                f"{one.bundle} gave no score for {missing} of the {counts.total} pictures of {one.manifest} "
                f"({counts.not_applicable_real + counts.not_applicable_fake} not applicable, {errors} errors; "
                f"{counts.real - counts.answered_real} real, {counts.fake - counts.answered_fake} fake)"
            ),
        )


def _gaps(gaps: Sequence[Gap]) -> Iterator[Caution]:
    """Groups of reals that are called fake more often than others, beyond chance."""
    told: dict[tuple[str, str], int] = {}
    wrong = [one for one in gaps if one.significant and one.metric == "false_positive_rate"]
    for gap in sorted(wrong, key=_p):
        inside, outside, part = gap.inside, gap.outside, gap.slice
        key = (gap.bundle, gap.manifest)
        told[key] = told.get(key, 0) + 1
        if told[key] > _MOST_GAPS or part is None:
            continue
        if isinstance(inside, Metric) and isinstance(outside, Metric):
            yield Caution(
                code="gap",
                bundle=gap.bundle,
                manifest=gap.manifest,
                message=(
                    f"{gap.bundle} calls {100 * inside.value:.1f} % of the reals of {gap.manifest} fake where "
                    f"{part.title}, and {100 * outside.value:.1f} % of the others (corrected p {_p(gap):.2g})"
                ),
            )


def _p(gap: Gap) -> float:
    return (gap.test.p_holm or 0.0) if isinstance(gap.test, PValue) else 1.0

"""The page's sections: all together, each data set, parts that differ, bundles compared, thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from mesoscope.bundle import BundleContract
from mesoscope.report.words import plural
from mesoscope_train.evaluation.content import Chart, Section, Table
from mesoscope_train.evaluation.metrics_schema import (
    CATALOGUE,
    Absent,
    Comparison,
    Gap,
    ManifestFacts,
    Metric,
    Metrics,
    PValue,
    Reading,
)
from mesoscope_train.evaluation.tables import tables_of
from mesoscope_train.evaluation.wording import (
    AGGREGATIONS,
    all_names,
    digits,
    estimate,
    p_text,
    percentage,
    reason,
    sentence,
    sign,
    slugs,
    unanswered,
)

_SUMMARY = ("auc", "average_precision", "eer", "recall_at_fpr_1", "recall_at_fpr_5")
_ANSWERS = (
    "accuracy",
    "balanced_accuracy",
    "false_positive_rate",
    "accuracy_fake",
    "coverage",
    "conclusive_accuracy",
)
_BRIEF = ("auc", "accuracy", "false_positive_rate", "accuracy_fake")
_PROBABILITIES = ("log_loss", "brier", "ece", "mse_labels", "rmse_labels", "mse_scores", "rmse_scores", "aurc")
_FURTHER = ("accuracy_at_half", "accuracy_real", "false_negative_rate", "answered", "accuracy_all", "prevalence")
_TABLE_TITLES = {
    "ranking": "How well scores rank, whatever the threshold",
    "answers": "How right the answers are, at each bundle’s own threshold",
    "probabilities": "How good the probabilities are",
    "further": "Further shares",
}
_SHORT = {
    "false_positive_rate": "reals called fake",
    "false_negative_rate": "fakes called real",
    "accuracy_fake": "fakes found",
}
_SHOWN = 12
"""A longer table is folded."""


def sections(metrics: Metrics, charts: Sequence[Chart], contracts: Mapping[str, BundleContract]) -> Iterator[Section]:
    """All sections that have something to say, in the page's order."""
    yield _all_together(metrics, charts)
    names = slugs([one.name for one in metrics.manifests])
    for manifest in metrics.manifests:
        yield _of_manifest(metrics, manifest, names[manifest.name], charts)
    yield from _differences(metrics)
    yield from _comparisons(metrics)
    yield from _thresholds(metrics, contracts)


def _all_together(metrics: Metrics, charts: Sequence[Chart]) -> Section:
    tables = [table for table in tables_of(metrics) if table.name.startswith("cross-dataset")]
    tables = [table for table in tables if table.name == "cross-dataset" or table.name.endswith("-mean")]
    return Section(
        "all", "All bundles on all data sets",
        charts=tuple(chart for chart in charts if not chart.manifest),
        tables=tuple(replace(table, folded=True) for table in tables),
    )  # fmt: skip


def _of_manifest(metrics: Metrics, facts: ManifestFacts, slug: str, charts: Sequence[Chart]) -> Section:
    readings = list(metrics.find(manifest=facts.name, slice=None, tier="clean"))
    whole = [one for one in readings if one.unit == "picture"] or readings
    tables = [
        *(_numbers(metrics, whole, name, kind) for name, kind in _KINDS.items()),
        _left_out(whole),
        _classes(readings),
        _aggregated(readings),
        _degraded(metrics, facts.name),
        _sliced(metrics, facts.name),
    ]
    return Section(
        f"set-{slug}", facts.name, text=tuple(_about(metrics, facts)),
        charts=tuple(chart for chart in charts if chart.manifest == facts.name),
        tables=tuple(table for table in tables if table is not None),
        absent=tuple(_absent(metrics, facts.name, whole)),
    )  # fmt: skip


_KINDS = {"ranking": _SUMMARY, "answers": _ANSWERS, "probabilities": _PROBABILITIES, "further": _FURTHER}


def _about(metrics: Metrics, facts: ManifestFacts) -> Iterator[str]:
    sets = ", ".join(f"{name} ({count:,})" for name, count in facts.datasets.items())
    parts = ", ".join(f"{name} {count:,}" for name, count in facts.splits.items() if name != "(none)")
    yield (
        f"{plural(facts.rows, 'picture', 'pictures')}: {facts.real:,} real, {facts.fake:,} fake, of "
        f"{plural(facts.groups, 'group', 'groups')}. Data set: {sets or 'not named'}. Part: {parts or 'not named'}. "
        f"Intervals draw: {facts.grouping}. Manifest {facts.sha256[:12]}."
    )
    if facts.again:
        yield "This test part had been evaluated before with one of these bundles: --again was given."
    for caution in metrics.warnings:
        if caution.manifest == facts.name and caution.bundle is None:
            yield sentence(caution.message, all_names(metrics))


def _numbers(metrics: Metrics, readings: Sequence[Reading], name: str, kinds: Sequence[str]) -> Table | None:
    there = [kind for kind in kinds if any(isinstance(one.metrics.get(kind), Metric) for one in readings)]
    if not there:
        return None
    rows = [
        (
            f"{one.bundle} {sign(metrics, one.bundle, one.manifest)}".strip(),
            *(estimate(one.metrics.get(kind)) for kind in there),
        )
        for one in readings
        if one.unit == readings[0].unit and one.aggregation == readings[0].aggregation
    ]
    heads = [_SHORT.get(kind, CATALOGUE[kind].title) for kind in there]
    return Table(
        name, _TABLE_TITLES[name], ("bundle", *heads), tuple(rows), numbers=tuple(range(1, len(heads) + 1)),
        folded=name in ("probabilities", "further"),
    )  # fmt: skip


def _left_out(readings: Sequence[Reading]) -> Table | None:
    rows = []
    for one in readings:
        counts = one.counts
        why = "; ".join(f"{text} ({count:,})" for text, count in list(counts.reasons.items())[:5])
        rows.append(
            (
                one.bundle, f"{counts.answered_real:,} + {counts.answered_fake:,}",
                f"{counts.error_real:,} + {counts.error_fake:,}",
                f"{counts.not_applicable_real:,} + {counts.not_applicable_fake:,}",
                f"{counts.inconclusive_real:,} + {counts.inconclusive_fake:,}", why or "–",
            )
        )  # fmt: skip
    if not rows:
        return None
    return Table(
        "left-out", "Who got an answer (real + fake)",
        ("bundle", "with a score", "errors", "not applicable", "inconclusive", "why"), tuple(rows),
        numbers=(1, 2, 3, 4), names=(0, 5),
    )  # fmt: skip


def _classes(readings: Sequence[Reading]) -> Table | None:
    rows = [
        (
            one.bundle, label, estimate(report.precision), estimate(report.recall), estimate(report.f1),
            f"{report.support:,}",
        )
        for one in readings
        if one.unit == "picture"
        for label, report in one.classes.items()
    ]  # fmt: skip
    if not rows:
        return None
    head = ("bundle", "class", "precision", "recall", "F1", "support")
    return Table("classes", "Report by class", head, tuple(rows), numbers=(2, 3, 4, 5), folded=True)


def _aggregated(readings: Sequence[Reading]) -> Table | None:
    rows = [
        (
            one.bundle, f"{one.unit}: {AGGREGATIONS[one.aggregation]}",
            f"{one.counts.answered_real:,} + {one.counts.answered_fake:,}",
            *(estimate(one.metrics.get(name)) for name in _BRIEF),
        )
        for one in readings
        if one.aggregation is not None
    ]  # fmt: skip
    if not rows:
        return None
    head = ("bundle", "counted", "real + fake", "AUC", "accuracy", "reals called fake", "fakes found")
    title = "By video or group instead of by picture"
    return Table("aggregated", title, head, tuple(rows), numbers=(2, 3, 4, 5, 6))


def _degraded(metrics: Metrics, manifest: str) -> Table | None:
    found = next((table for table in tables_of(metrics) if table.name == "tiers"), None)
    return _part_of(found, manifest) if found is not None else None


def _sliced(metrics: Metrics, manifest: str) -> Table | None:
    found = next((table for table in tables_of(metrics) if table.name == "slices"), None)
    return _part_of(found, manifest) if found is not None else None


def _part_of(table: Table, manifest: str) -> Table | None:
    """The lines of one manifest, without its column."""
    rows = tuple((row[0], *row[2:]) for row in table.rows if row[1] == manifest)
    if not rows:
        return None
    return Table(
        table.name, table.title, (table.head[0], *table.head[2:]), rows,
        numbers=tuple(place - 1 for place in table.numbers), names=(0,), notes=table.notes, folded=True,
    )  # fmt: skip


def _absent(metrics: Metrics, manifest: str, readings: Sequence[Reading]) -> Iterator[str]:
    """What is missing and why, each reason once."""
    why: dict[str, dict[str, list[str]]] = {}
    for one in readings:
        for name, found in _everything(one):
            text = reason(found) if isinstance(found, Metric | Absent) else None
            if text is not None:
                why.setdefault(text, {}).setdefault(one.bundle, []).append(name)
    for text, of_bundle in why.items():
        bundles = "all bundles" if len(of_bundle) == len({one.bundle for one in readings}) else ", ".join(of_bundle)
        names = [*dict.fromkeys(name for found in of_bundle.values() for name in found)]
        yield f"{', '.join(names)} ({bundles}): {text}."
    for column in metrics.slice_columns:
        if column.manifest != manifest:
            continue
        if column.absent:
            yield f"Slices by {column.column}: {column.absent}."
        if column.too_few:
            few = ", ".join(f"{value} ({count:,})" for value, count in column.too_few.items())
            least = metrics.settings.minimum_n
            yield f"Slices by {column.column} with fewer than {least:,} pictures have no numbers of their own: {few}."


def _everything(reading: Reading) -> Iterator[tuple[str, object]]:
    for name, found in reading.metrics.items():
        yield CATALOGUE[name].title, found
    yield "confusion matrix", reading.confusion
    if reading.curves is not None:
        for name, curve in reading.curves:
            yield f"figure {name.replace('_', ' ')}", curve


def _differences(metrics: Metrics) -> Iterator[Section]:
    if not metrics.gaps:
        return
    ordered = sorted(metrics.gaps, key=lambda gap: (not gap.significant, _p(gap.test)))
    found = [gap for gap in ordered if gap.significant]
    level = f"{1 - metrics.settings.level:.2g}"
    text = (
        f"{plural(len(ordered), 'comparison', 'comparisons')} of a part with the rest of its data set; "
        f"{len(found):,} differ with a corrected p below {level}. Differences are of the part minus the rest."
    )
    tables = []
    if found:
        tables.append(_gap_table("gaps", "Parts that differ from the rest", found))
    if len(found) < len(ordered):
        rest = [gap for gap in ordered if not gap.significant]
        title = "Not shown to differ (which is no proof that they are equal)"
        tables.append(_gap_table("gaps-none", title, rest, folded=True))
    yield Section("gaps", "Parts that differ", text=(text,), tables=tuple(tables))


def _gap_table(name: str, title: str, gaps: Iterable[Gap], *, folded: bool = False) -> Table:
    rows = tuple(
        (
            gap.bundle, gap.manifest, gap.slice.title if gap.slice else "", _title(gap.metric), estimate(gap.inside),
            estimate(gap.outside), estimate(gap.difference), *_tested(gap.test),
        )
        for gap in gaps
    )  # fmt: skip
    head = (
        "bundle",
        "data set",
        "part",
        "number",
        "in the part",
        "in the rest",
        "difference",
        "p",
        "corrected p",
        "q",
    )
    return Table(
        name, title, head, rows, numbers=(4, 5, 6, 7, 8, 9), names=(0, 1, 2), folded=folded or len(rows) > _SHOWN
    )


def _title(metric: str) -> str:
    return _SHORT.get(metric) or (CATALOGUE[metric].title if metric in CATALOGUE else metric)


def _p(test: PValue | Absent) -> float:
    return 2.0 if isinstance(test, Absent) else test.p if test.p_holm is None else test.p_holm


def _tested(test: PValue | Absent) -> tuple[str, str, str]:
    return ("–", "–", "–") if isinstance(test, Absent) else (p_text(test.p), p_text(test.p_holm), p_text(test.q))


def _comparisons(metrics: Metrics) -> Iterator[Section]:
    if not metrics.comparisons:
        return
    first = [one for one in metrics.comparisons if one.tier == "clean" and one.unit == "picture"]
    rest = [one for one in metrics.comparisons if one not in first]
    text = (
        "Two bundles on the same pictures, first minus second; the test allows for pictures of one group resembling "
        "each other. “no” means not shown, not equal."
    )
    tables = []
    if first:
        tables.append(_compared("comparisons", "Clean pictures, one by one", first, folded=len(first) > _SHOWN))
    if rest:
        tables.append(_compared("comparisons-rest", "By video or group, and degraded", rest, folded=True))
    yield Section("compared", "Bundles compared", text=(text,), tables=tuple(tables))


def _compared(name: str, title: str, comparisons: Sequence[Comparison], *, folded: bool) -> Table:
    rows = []
    for one in comparisons:
        test = next((test for test in one.tests if test.name == one.decisive), None)
        counted = f"{one.unit}, {one.aggregation}" if one.aggregation else one.unit
        rows.append(
            (
                one.first, one.second, f"{one.manifest}{'' if one.tier == 'clean' else f', {one.tier}'}",
                _title(one.metric), counted, f"{one.n:,}", estimate(one.first_value), estimate(one.second_value),
                estimate(one.difference), one.decisive or "–", "–" if test is None else p_text(test.p),
                "–" if test is None else p_text(test.p_holm), "yes" if one.significant else "no",
            )
        )  # fmt: skip
    head = (
        "first", "second", "data set", "number", "counted", "n", "of the first", "of the second", "difference",
        "test", "p", "corrected p", "differ",
    )  # fmt: skip
    return Table(name, title, head, tuple(rows), numbers=(5, 6, 7, 8, 10, 11), names=(0, 1, 2), folded=folded)


def _thresholds(metrics: Metrics, contracts: Mapping[str, BundleContract]) -> Iterator[Section]:
    rows = []
    for bundle in metrics.bundles:
        rows.append(
            (
                bundle.name,
                "in use",
                "–",
                digits(bundle.threshold),
                "–",
                _origin(bundle.name, contracts),
                _here(metrics, bundle.name),
            )
        )
        contract = contracts.get(bundle.name)
        for budget in contract.thresholds.budgets if contract and contract.thresholds else ():
            bound = budget.upper_95
            rows.append(
                (
                    "", "budget", f"{100 * budget.max_fpr:g} %", digits(budget.threshold),
                    "none" if bound is None else f"{100 * bound:.2f} %", "", "",
                )
            )  # fmt: skip
    head = ("bundle", "", "false alarms allowed", "threshold", "bound", "chosen on", "false alarms here")
    text = (
        "A threshold promises something only for pictures of the kind it was chosen on. The bound holds with 95 % "
        "confidence for those; what happened on these data sets stands beside it."
    )
    table = Table("thresholds", "Thresholds", head, tuple(rows), numbers=(2, 3, 4), names=(0, 5, 6))
    yield Section("thresholds", "Thresholds and what they promise", text=(text,), tables=(table,))


def _origin(bundle: str, contracts: Mapping[str, BundleContract]) -> str:
    contract = contracts.get(bundle)
    if contract is None:
        return "–"
    if contract.thresholds is None:
        return "nothing: never calibrated, the middle is used"
    chosen = contract.thresholds
    return f"{chosen.chosen_on} ({chosen.n_real:,} real, {chosen.n_fake:,} fake)"


def _here(metrics: Metrics, bundle: str) -> str:
    found = [
        (one.manifest, one.metrics.get("false_positive_rate"))
        for one in metrics.find(bundle=bundle, tier="clean", unit="picture", slice=None)
    ]
    return "; ".join(f"{name} {percentage(rate)}" for name, rate in found if isinstance(rate, Metric)) or "–"


def left_out_told(metrics: Metrics, manifest: str) -> str:
    """The counts without an answer, to stand beside every figure of a manifest."""
    readings = list(metrics.find(manifest=manifest, tier="clean", unit="picture", slice=None))
    told: dict[str, list[str]] = {}
    for one in readings:
        told.setdefault(unanswered(one.counts), []).append(one.bundle)
    if len(told) == 1:
        return f"Every bundle: {next(iter(told))}."
    return " ".join(f"{', '.join(bundles)}: {text}." for text, bundles in told.items())

"""Bundles against manifests, tiers, reports by class and slices: as HTML, CSV, Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mesoscope.atomic import explained, make_directory, replacing
from mesoscope_train.evaluation.content import Table
from mesoscope_train.evaluation.metrics_schema import CATALOGUE, Metric, Metrics, Reading
from mesoscope_train.evaluation.table_formats import FORMATS, csv_text
from mesoscope_train.evaluation.wording import SIGN_MEANINGS, estimate, sign, signs_used

_COUNTS = (
    "real", "fake", "answered_real", "answered_fake", "error_real", "error_fake", "not_applicable_real",
    "not_applicable_fake", "inconclusive_real", "inconclusive_fake", "groups",
)  # fmt: skip


def write_tables(metrics: Metrics, out_dir: Path) -> list[Path]:
    """Write each table as ``.html``, ``.md``, ``.tex``, and all readings with every number as ``readings.csv``.

    Tables are ``cross-dataset`` (also as ``.csv``: one line a bundle and manifest), ``tiers``, ``classes`` and
    ``slices``, as far as there is something to say.

    Args:
        metrics: of one evaluation.
        out_dir: made if it is not there.

    Returns:
        the files.

    Raises:
        UsageError: the directory cannot be written.
    """
    make_directory(out_dir)
    texts = {
        f"{table.name}{suffix}": write(table) for table in tables_of(metrics) for suffix, write in FORMATS.items()
    }
    clean = [one for one in metrics.readings if one.tier == "clean" and one.slice is None]
    texts["cross-dataset.csv"] = readings_csv(metrics, clean)
    texts["readings.csv"] = readings_csv(metrics, metrics.readings)
    written = []
    for name, text in texts.items():
        path = out_dir / name
        with replacing(path) as partial, explained(path):
            partial.write_text(text, encoding="utf-8", newline="")
        written.append(path)
    return written


def tables_of(metrics: Metrics) -> Iterator[Table]:
    """The tables for people."""
    for unit, aggregation in dict.fromkeys((one.unit, one.aggregation) for one in metrics.readings):
        yield from _cross(metrics, unit, aggregation)
    yield from _tiers(metrics)
    yield from _classes(metrics)
    yield from _slices(metrics)


def _cross(metrics: Metrics, unit: str, aggregation: str | None) -> Iterator[Table]:
    found = {
        (one.bundle, one.manifest): one
        for one in metrics.find(unit=unit, aggregation=aggregation, tier="clean", slice=None)
    }
    if not found:
        return
    bundles = [one.name for one in metrics.bundles if any(key[0] == one.name for key in found)]
    rows = [row for one in metrics.manifests for row in _lines(metrics, one.name, bundles, found)]
    of = "pictures" if aggregation is None else f"{unit}s ({aggregation})"
    level = f"{100 * metrics.settings.level:g}"
    notes = [f"Accuracy at each bundle’s own threshold, and AUC, with {level} % interval; counted: {of}, clean."]
    notes += [f"{mark} {SIGN_MEANINGS[mark]}." for mark in signs_used(metrics)]
    yield Table(
        "cross-dataset" if aggregation is None else f"cross-dataset-{unit}-{aggregation}",
        f"Accuracy and AUC of each bundle on each data set, {of}",
        ("data set", "", *bundles),
        tuple(rows),
        numbers=tuple(range(2, 2 + len(bundles))),
        notes=tuple(notes),
    )


def _lines(
    metrics: Metrics, manifest: str, bundles: list[str], found: dict[tuple[str, str], Reading]
) -> Iterator[tuple[str, ...]]:
    """Three lines of a manifest: accuracy, AUC, and who got no answer."""
    readings = [found.get((bundle, manifest)) for bundle in bundles]
    there = [one for one in readings if one is not None]
    if not there:
        return
    marks = [sign(metrics, bundle, manifest) for bundle in bundles]
    for name, what in (("accuracy", "accuracy"), ("auc", "AUC")):
        numbers = (estimate(one.metrics.get(name)) if one is not None else "–" for one in readings)
        first = manifest if name == "accuracy" else f"{there[0].counts.real:,} real, {there[0].counts.fake:,} fake"
        yield (first, what, *(f"{number} {mark}".strip() for number, mark in zip(numbers, marks, strict=True)))
    yield (
        "",
        "errors / not applicable / inconclusive",
        *("–" if one is None else _left_out(one) for one in readings),
    )


def _left_out(reading: Reading) -> str:
    counts = reading.counts
    pairs = (
        (counts.error_real, counts.error_fake),
        (counts.not_applicable_real, counts.not_applicable_fake),
        (counts.inconclusive_real, counts.inconclusive_fake),
    )
    return " / ".join(f"{real + fake:,}" for real, fake in pairs)


def _tiers(metrics: Metrics) -> Iterator[Table]:
    readings = list(metrics.find(unit="picture", slice=None))
    if len({one.tier for one in readings}) < 2:
        return
    names = ("auc", "accuracy", "accuracy_fake", "false_positive_rate")
    rows = [
        (one.bundle, one.manifest, one.tier, *(estimate(one.metrics.get(name)) for name in names))
        for bundle in metrics.bundles
        for manifest in metrics.manifests
        for tier in metrics.tiers
        for one in readings
        if (one.bundle, one.manifest, one.tier) == (bundle.name, manifest.name, tier.name)
    ]
    yield Table(
        "tiers", "What degradation does, at one fixed threshold",
        ("bundle", "data set", "tier", "AUC", "accuracy", "fakes found", "reals called fake"), tuple(rows),
        numbers=(3, 4, 5, 6), names=(0, 1),
        notes=("The threshold is each bundle’s own; nothing was chosen anew for degraded pictures.",),
    )  # fmt: skip


def _classes(metrics: Metrics) -> Iterator[Table]:
    rows = [
        (
            one.bundle, one.manifest, f"{one.unit}, {one.aggregation}" if one.aggregation else one.unit, label,
            estimate(report.precision), estimate(report.recall), estimate(report.f1), f"{report.support:,}",
        )
        for one in metrics.find(tier="clean", slice=None)
        for label, report in one.classes.items()
    ]  # fmt: skip
    if rows:
        yield Table(
            "classes", "Precision, recall and F1 of each class",
            ("bundle", "data set", "counted", "class", "precision", "recall", "F1", "support"), tuple(rows),
            numbers=(4, 5, 6, 7), names=(0, 1),
            notes=("Each class taken as the positive one, at the bundle’s own threshold; support: how many.",),
        )  # fmt: skip


def _slices(metrics: Metrics) -> Iterator[Table]:
    names = ("accuracy", "auc", "false_positive_rate", "false_negative_rate")
    rows = [
        (
            one.bundle, one.manifest, one.slice.title, f"{one.counts.answered_real:,}",
            f"{one.counts.answered_fake:,}", *(estimate(one.metrics.get(name)) for name in names),
        )
        for one in metrics.find(tier="clean", unit="picture")
        if one.slice is not None
    ]  # fmt: skip
    if rows:
        yield Table(
            "slices", "Parts of the data sets",
            ("bundle", "data set", "part", "real", "fake", "accuracy", "AUC", "reals as fake", "fakes as real"),
            tuple(rows), numbers=(3, 4, 5, 6, 7, 8), names=(0, 1, 2),
            notes=("Whether a part differs from the rest is tested on the page, corrected for all comparisons.",),
        )  # fmt: skip


def readings_csv(metrics: Metrics, readings: list[Reading]) -> str:
    """One line a reading: its key, its counts, and value, low, high and n of every metric; empty where absent."""
    head = ["bundle", "manifest", "training", "tier", "unit", "aggregation", "slice_column", "slice_value"]
    head += ["threshold", "lower", *_COUNTS]
    names = [name for name in CATALOGUE if any(name in one.metrics for one in readings)]
    head += [f"{name}{part}" for name in names for part in ("", "_low", "_high", "_n")]
    return csv_text(head, (_line(metrics, one, names) for one in readings))


def _line(metrics: Metrics, reading: Reading, names: list[str]) -> list[str]:
    part = reading.slice
    line = [
        reading.bundle,
        reading.manifest,
        _TRAINING[sign(metrics, reading.bundle, reading.manifest)],
        reading.tier,
    ]
    line += [reading.unit, reading.aggregation or "", part.column if part else "", part.value if part else ""]
    line += [repr(reading.threshold), repr(reading.lower)]
    line += [str(getattr(reading.counts, name)) for name in _COUNTS]
    for name in names:
        found = reading.metrics.get(name)
        if isinstance(found, Metric):
            line += ["" if number is None else repr(number) for number in (found.value, found.low, found.high)]
            line.append(str(found.n))
        else:
            line += [""] * 4
    return line


_TRAINING = {"": "apart", "‡": "these pictures", "†": "another part of this set", "?": "unknown"}

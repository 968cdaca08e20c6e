"""The figures of slices, of degradation, and of all manifests beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mesoscope_train.evaluation.content import Chart
from mesoscope_train.evaluation.figures.degradation import Sweep, draw_degradation
from mesoscope_train.evaluation.figures.heat import Cell, draw_heat
from mesoscope_train.evaluation.figures.of_manifest import bundle_names
from mesoscope_train.evaluation.figures.slices import Part, draw_slices
from mesoscope_train.evaluation.metrics_schema import Metric, Metrics, Reading
from mesoscope_train.evaluation.wording import (
    SHORT_MEANINGS,
    counted,
    drawn_by,
    glued,
    sign,
    signs_told,
    signs_used,
    slugs,
)
from mesoscope_train.figures import shortened, shortened_apart

RATES = {
    "accuracy": "right (accuracy)",
    "false_positive_rate": "reals called fake",
    "false_negative_rate": "fakes called real",
}
_NONE = "(none)"
_DEGREES = ("easy", "mid", "medium", "hard")
_GAP_OF = {"false_negative_rate": "accuracy_fake"}
"""Rate to the metric whose gap says the same of it."""
DEGRADED = {"auc": "AUC", "accuracy_fake": "fakes found", "false_positive_rate": "reals called fake"}
OPERATIONS = {
    "jpeg": ("JPEG", "quality"),
    "webp": ("WebP", "quality"),
    "blur": ("blur", "sigma, pixels"),
    "scale": ("shrunk", "factor"),
    "noise": ("noise", "sigma, grey levels"),
}
"""Operation of a sweep to title and unit."""
_CROSS = (
    (
        "auc",
        "AUC",
        0.5,
        "Chance that a fake scores above a real one. 0.5 is a coin; dashed: not shown to be better. –: one class.",
    ),
    ("accuracy", "Accuracy", None, "Right answers among the answered, at each bundle’s own threshold."),
)
"""Metric, title, what a coin gets, what it is."""


def slice_charts(metrics: Metrics, manifest: str, slug: str) -> Iterator[Chart]:
    """One figure a column: every part beside the whole."""
    readings = [one for one in metrics.find(manifest=manifest, tier="clean", unit="picture")]
    whole = [one for one in readings if one.slice is None]
    columns = list(dict.fromkeys(one.slice.column for one in readings if one.slice is not None))
    anchors = slugs(columns)
    for column in columns:
        yield from _slice_chart(metrics, whole, readings, column, f"slice-{slug}-{anchors[column]}")


def _slice_chart(
    metrics: Metrics, whole: Sequence[Reading], readings: Sequence[Reading], column: str, name: str
) -> Iterator[Chart]:
    inside = [one for one in readings if one.slice is not None and one.slice.column == column]
    bundles = [one.bundle for one in whole]
    rates = _rates([*whole, *inside])
    if not rates:
        return
    values = _in_order(dict.fromkeys(one.slice.value for one in inside if one.slice is not None))
    parts = [_part("all", whole, bundles, rates, metrics)]
    for value in values:
        of_value = [one for one in inside if one.slice is not None and one.slice.value == value]
        title = of_value[0].slice.title if of_value[0].slice is not None else value
        title = "no value" if value == _NONE else title.removeprefix(f"{column} = ")
        parts.append(_part(shortened(title), of_value, bundles, rates, metrics))
    manifest = whole[0].manifest
    note = (
        f"Pictures with a score; n = real + fake. Bars: {drawn_by(metrics, manifest)}. "
        "Ringed: differs from the rest of the set after correction for all parts that were compared."
        f"{signs_told(metrics, whole)}"
    )
    figure = draw_slices(
        parts, bundle_names(metrics, whole), [RATES[rate] for rate in rates],
        title=f"By {shortened(column.replace('_', ' '))}: {shortened(manifest)}", note=note,
        bound=metrics.provenance.max_fpr if rates[0] == "false_positive_rate" else None,
    )  # fmt: skip
    caption = f"The parts of {manifest} by {column.replace('_', ' ')}, beside the whole. {_told(rates)}"
    yield Chart(name, figure, caption, manifest, "false-alarms" if len(rates) == 1 else "slices")


def _in_order(values: Iterable[str]) -> list[str]:
    """Degrees of difficulty from easy to hard, others as they come, pictures without a value last."""
    places = {value: _DEGREES.index(value.lower()) for value in values if value.lower() in _DEGREES}
    return sorted(values, key=lambda value: (value == _NONE, places.get(value, 0)))


def _told(rates: Sequence[str]) -> str:
    if list(rates) == ["false_positive_rate"]:
        return (
            "All of them are real: every mark is the share of pictures that would wrongly be called fake. It must "
            "not depend on who is seen."
        )
    return "Further right is better for accuracy, worse for the others."


def _rates(readings: Sequence[Reading]) -> list[str]:
    """The rates that can be computed somewhere; of one class only its own, since accuracy would say it twice."""
    there = [rate for rate in RATES if any(isinstance(one.metrics.get(rate), Metric) for one in readings)]
    return there if len(there) == len(RATES) else [rate for rate in there if rate != "accuracy"]


def _part(
    name: str, readings: Sequence[Reading], bundles: Sequence[str], rates: Sequence[str], metrics: Metrics
) -> Part:
    by_bundle = {one.bundle: one for one in readings}
    counts = readings[0].counts
    values: dict[str, list[Metric | None]] = {}
    differs: dict[str, set[int]] = {}
    for rate in rates:
        found = [by_bundle[bundle].metrics.get(rate) if bundle in by_bundle else None for bundle in bundles]
        values[RATES[rate]] = [one if isinstance(one, Metric) else None for one in found]
        differs[RATES[rate]] = {
            place for place, bundle in enumerate(bundles) if _differs(metrics, by_bundle.get(bundle), rate)
        }
    return Part(f"{name}\n{counts.answered_real:,} + {counts.answered_fake:,}", values, differs)


def _differs(metrics: Metrics, reading: Reading | None, rate: str) -> bool:
    """Whether a significant gap is known of a slice; where a column has two values, one gap is both slices'."""
    if reading is None or reading.slice is None:
        return False
    part, metric = reading.slice, _GAP_OF.get(rate, rate)
    mine = [
        gap
        for gap in metrics.gaps
        if (gap.bundle, gap.manifest, gap.metric) == (reading.bundle, reading.manifest, metric)
        and gap.slice is not None
        and gap.slice.column == part.column
    ]
    return any(gap.significant for gap in mine if gap.slice == part or len(mine) == 1)


def degradation_charts(metrics: Metrics, manifest: str, slug: str) -> Iterator[Chart]:
    """Tiers and sweeps of one manifest at its bundles' own thresholds; nothing where only clean was measured."""
    readings = list(metrics.find(manifest=manifest, unit="picture", slice=None))
    clean = [one for one in readings if one.tier == "clean"]
    bundles = list(dict.fromkeys(one.bundle for one in clean or readings))
    rows = [name for name in DEGRADED if any(isinstance(one.metrics.get(name), Metric) for one in readings)]
    if len({one.tier for one in readings}) < 2 or not rows:
        return
    sweeps = [
        Sweep(title, unit, list(tiers), _values(readings, bundles, rows, [*tiers.values()]))
        for title, unit, tiers in _columns(metrics, readings)
    ]
    note = (
        f"{counted(clean or readings)}. Bands: {drawn_by(metrics, manifest)}. The threshold is the bundle’s own "
        "everywhere: nothing was chosen anew for degraded pictures."
        f"{signs_told(metrics, clean or readings)}"
    )
    names = bundle_names(metrics, [next(one for one in readings if one.bundle == bundle) for bundle in bundles])
    figure = draw_degradation(
        sweeps, names, [DEGRADED[row] for row in rows], title=f"Degraded pictures: {shortened(manifest)}", note=note
    )
    caption = (
        f"What re-encoding, shrinking and messengers do to the answers on {manifest}, at one fixed threshold. "
        "Falling “fakes found” are missed fakes, rising “reals called fake” are false alarms."
    )
    yield Chart(f"degradation-{slug}", figure, caption, manifest, "tiers")


def _columns(metrics: Metrics, readings: Sequence[Reading]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Title, unit, and what stands at the axis to the tier it is, for the named tiers and for each sweep."""
    measured = {one.tier for one in readings}
    tiers = [tier for tier in metrics.tiers if tier.name in measured]
    named = {tier.name: tier.name for tier in tiers if tier.operation is None}
    if len(named) > 1:
        yield "tiers", "", named
    for operation in dict.fromkeys(tier.operation for tier in tiers if tier.operation is not None):
        levels = {
            "none" if tier.level is None else f"{tier.level:g}": tier.name
            for tier in tiers
            if tier.operation == operation
        }
        title, unit = OPERATIONS.get(operation, (operation, "level"))
        yield title, unit, {**({"clean": "clean"} if "clean" in measured else {}), **levels}


def _values(
    readings: Sequence[Reading], bundles: Sequence[str], rows: Sequence[str], tiers: Sequence[str]
) -> dict[str, list[list[Metric | None]]]:
    """Row's title to one list a bundle, one number a tier."""
    at = {(one.bundle, one.tier): one for one in readings}
    return {
        DEGRADED[row]: [[_metric(at.get((bundle, tier)), row) for tier in tiers] for bundle in bundles]
        for row in rows
    }


def _metric(reading: Reading | None, name: str) -> Metric | None:
    found = reading.metrics.get(name) if reading is not None else None
    return found if isinstance(found, Metric) else None


def cross_charts(metrics: Metrics) -> Iterator[Chart]:
    """Bundles against manifests, AUC and accuracy; nothing where there is one manifest only."""
    if len(metrics.manifests) < 2:
        return
    rows = shortened_apart([one.name for one in metrics.bundles], 34)
    columns = shortened_apart([one.name for one in metrics.manifests], 26)
    for name, title, chance, what in _CROSS:
        cells = [
            [_cell(metrics, bundle.name, manifest.name, name) for manifest in metrics.manifests]
            for bundle in metrics.bundles
        ]
        if not any(cell.metric for row in cells for cell in row):
            continue
        told = "".join(f" {glued(f'{mark} {SHORT_MEANINGS[mark]}')}." for mark in signs_used(metrics))
        note = f"{what} Below: {100 * metrics.settings.level:g}\u00a0% interval.{told}"
        figure = draw_heat(
            cells, rows, columns, title=f"{title} of each bundle on each data set", note=note, chance=chance
        )
        caption = f"{title}, clean pictures, one by one. What differs along a row is what a single figure hides."
        yield Chart(f"cross-{name}", figure, caption, "", "cross")


def _cell(metrics: Metrics, bundle: str, manifest: str, name: str) -> Cell:
    found = next(iter(metrics.find(bundle=bundle, manifest=manifest, tier="clean", unit="picture", slice=None)), None)
    return Cell(_metric(found, name), sign(metrics, bundle, manifest))

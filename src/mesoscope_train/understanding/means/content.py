"""What the page of means says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mesoscope.manifest import Manifest
from mesoscope_train.figures import shortened
from mesoscope_train.understanding.layers import Layer
from mesoscope_train.understanding.means.cells import LABEL, MEANINGS, OUTCOME, Grouping
from mesoscope_train.understanding.means.figures import (
    FALSE_DISCOVERIES,
    Difference,
    difference,
    draw_cells,
    draw_channels,
    draw_difference,
    draw_dots,
    draw_layers,
    draw_regions,
)
from mesoscope_train.understanding.means.gathering import MEASURES, Cell, Gathered
from mesoscope_train.understanding.means.shares import SHOWN, Shares
from mesoscope_train.understanding.page import Chart, Page, Section, Table
from mesoscope_train.understanding.subject import Subject

if TYPE_CHECKING:
    from mesoscope_train.understanding.means.run import MeansOptions

AT_ONCE = 6
"""Layers in one figure."""
_NOSE_BELOW_EYES, _MOUTH_BELOW_EYES, _MOUTH_HALF = 0.58, 1.07, 0.42
"""In distances between the eyes: where a typical nose and mouth are drawn on the mean face."""


def page_of(
    subject: Subject,
    manifest: Manifest,
    gathered: Gathered,
    *,
    ways: Sequence[Grouping],
    layers: Sequence[Layer],
    by_region: Shares | None,
    options: MeansOptions,
) -> Page:
    """The page, its figures drawn."""
    sections = [_means(gathered, way, layers) for way in ways]
    if by_region is not None:
        sections += [_where(gathered, by_region), *([_lit(by_region, layers)] if layers else [])]
    labels = _cells(gathered, LABEL, ways)
    sections += [_channels(labels, layer, number) for number, layer in enumerate(layers) if labels]
    sections.append(_reading())
    total = len(gathered.rows)
    left_out = sum(gathered.left_out.values())
    numbers = [("pictures", f"{total:,}"), ("groups", f"{len(np.unique(_groups(manifest, gathered))):,}")]
    numbers += [("left out", f"{left_out:,}")] if left_out else []
    numbers.append(("pictures a second", f"{(total + left_out) / max(gathered.seconds, 1e-9):,.0f}"))
    return Page(
        kind="Mesoscope means",
        title=f"{subject.name} on {', '.join(sorted(manifest.codes('dataset')[1]))}",
        facts=_facts(subject, manifest, gathered, options),
        numbers=numbers,
        sections=sections,
        command=options.command,
        made=options.made,
    )


def _groups(manifest: Manifest, gathered: Gathered) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return manifest.codes("group")[0][gathered.rows]


def _facts(subject: Subject, manifest: Manifest, gathered: Gathered, options: MeansOptions) -> list[tuple[str, str]]:
    aligned = (
        "turned and scaled so that all eyes meet (by landmarks); the network saw the pictures as they are"
        if gathered.aligned
        else "NOT aligned: no landmarks were looked for, so that means blur over where faces lie in the pictures"
    )
    left_out = "; ".join(f"{reason}: {count:,}" for reason, count in gathered.left_out.most_common(5))
    calibrated = "" if subject.verdict.calibrated else " (the bundle is not calibrated)"
    facts = [
        ("Bundle", f"{subject.name}, {subject.bundle.contract.architecture}, sha256 {subject.bundle.sha256[:12]}"),
        ("Map", f"signed Grad-CAM of {subject.map_layer}: positive speaks for fake, negative for real"),
        ("Fake from", f"probability {subject.verdict.threshold:.3g}{calibrated}"),
        ("Manifest", f"{options.source}, content {manifest.digest()[:12]}"),
        ("Part", options.split or "all splits"),
        ("Faces", aligned),
        ("Left out", left_out or "nothing"),
    ]
    return [fact for fact in facts if fact[1]]


def _cells(gathered: Gathered, by: str, ways: Sequence[Grouping]) -> list[tuple[str, Cell]]:
    order = next((way.order for way in ways if way.by == by), ())
    return [(name, gathered.cells[by, name]) for name in order if (by, name) in gathered.cells]


def _means(gathered: Gathered, way: Grouping, layers: Sequence[Layer]) -> Section:
    cells = [(shortened(name, 18), cell) for name, cell in _cells(gathered, way.by, (way,))]
    slug = _slug(way.by)
    charts = [
        Chart(
            f"{slug}-maps",
            draw_cells(cells),
            "Mean face, mean map, its standard error (groups drawn), and how much single pictures differ, "
            f"by {way.by}. Each column has one scale; the number is that of pictures.",
        )
    ]
    findings = []
    for first, second in way.pairs():
        if (way.by, first) not in gathered.cells or (way.by, second) not in gathered.cells:
            continue
        one, two = gathered.cells[way.by, first], gathered.cells[way.by, second]
        found = difference(one, two)
        findings.append(("clear" if found.beyond.any() else "note", _sentence(first, second, found)))
        caption = (
            f"Mean map of {first} minus that of {second}. Grey at the right: no more than noise (Benjamini and "
            f"Hochberg, at most {FALSE_DISCOVERIES:.0%} of the coloured cells are expected to be noise)."
        )
        names = (shortened(first, 16), shortened(second, 16))
        charts.append(
            Chart(f"{slug}-{_slug(first)}-minus-{_slug(second)}", draw_difference(names, one, two, found), caption)
        )
    for number in range(0, len(layers), AT_ONCE):
        some = [layer.name for layer in layers[number : number + AT_ONCE]]
        caption = (
            "Mean over all channels of each layer's feature maps, standardised over the rows together, so that a "
            "layer's tiles can be compared."
        )
        charts.append(Chart(f"{slug}-layers-{number // AT_ONCE + 1}", draw_layers(cells, some), caption))
    text: tuple[str, ...] = ()
    if way.by == OUTCOME:
        there = [name for name, _ in _cells(gathered, OUTCOME, (way,))]
        text = (" · ".join(f"{name}: {MEANINGS[name]}" for name in there) + ".",)
    return Section(slug, f"Means by {way.by}", text, tuple(findings), tuple(charts))


def _sentence(first: str, second: str, found: Difference) -> str:
    count, of = int(found.beyond.sum()), found.beyond.size
    if not found.enough:
        return f"{first} minus {second}: too few groups ({found.groups}) to tell a difference from noise."
    if not count:
        return f"{first} minus {second}: no cell of {of:,} differs by more than noise."
    return f"{first} minus {second}: {count:,} of {of:,} cells of the map differ by more than noise."


def _where(gathered: Gathered, by_region: Shares) -> Section:
    labels = sorted({label for _, label, _ in by_region.mass}, reverse=True)
    panels = [
        (
            f"evidence {measure}",
            [(region, [(label, by_region.mass[measure, label, region]) for label in labels]) for region in SHOWN],
        )
        for measure in MEASURES
    ]
    head = ("part of the map", "label", *SHOWN)
    rows = tuple(
        (measure, label, *(by_region.mass[measure, label, region].words() for region in SHOWN))
        for measure in MEASURES
        for label in labels
    )
    face = next((cell.face.mean for (by, _), cell in gathered.cells.items() if by == LABEL), None)
    face = next(iter(gathered.cells.values())).face.mean if face is None else face
    charts = (
        Chart("regions", draw_regions(face, _landmarks(gathered)), "The regions, on a mean face."),
        Chart(
            "regions-mass",
            draw_dots(panels, 1.0, "density (1: chance)"),
            "Share of the map's mass in a region over the region's share of the picture, with 95 % intervals (groups "
            "drawn). 1 is what a map that knows nothing would give.",
        ),
    )
    massless = [f"{count:,} have none {measure}" for measure, count in by_region.massless.items() if count]
    text = (
        "The five landmarks of each face place eyes, nose and mouth; an oval of common proportions is the rest of "
        "the face. Hair and neck are where hair and neck usually are. Each picture weighs the same.",
        *((f"Of the pictures' maps, {'; '.join(massless)}; they do not count there.",) if massless else ()),
    )
    table = Table(head, rows, names=2, caption="Mass over area, with 95 % intervals")
    return Section("regions", "Where the map lies", text, (), charts, (table,))


def _lit(by_region: Shares, layers: Sequence[Layer]) -> Section:
    labels = ("real", "fake", "fake - real")
    there = [label for label in labels if (layers[-1].name, label, SHOWN[0]) in by_region.lit]
    classes = [label for label in there if label in ("real", "fake")]
    last = [layer.name for layer in layers[-3:]]
    panels = [
        (
            layer,
            [(region, [(label, by_region.lit[layer, label, region]) for label in classes]) for region in SHOWN],
        )
        for layer in last
    ]
    rows = tuple(
        (layer.name, label, *(by_region.lit[layer.name, label, region].words() for region in SHOWN))
        for layer in layers
        for label in there
    )
    chart = Chart(
        "regions-features",
        draw_dots(panels, 0.0, "standard deviations"),
        "The last layers' feature maps by region: each channel standardised in each picture, then averaged over "
        "channels; 0 is the picture's own average. 95 % intervals, groups drawn.",
    )
    table = Table(("layer", "label", *SHOWN), rows, names=2, caption="Standard deviations, with 95 % intervals")
    return Section("features", "Where feature maps light up", (), (), (chart,), (table,))


def _channels(cells: Sequence[tuple[str, Cell]], layer: Layer, number: int) -> Section:
    shown = len(cells[0][1].layers[layer.name].mean) - 1
    first = "" if shown == layer.channels else f" The first {shown} are shown."
    caption = f"{layer.words}.{first} Means are standardised for each channel over real and fake together."
    chart = Chart(f"layer-{number + 1}-{_slug(layer.name)}", draw_channels(cells, layer.name), caption)
    return Section(f"layer-{number + 1}", f"Layer {layer.name}", charts=(chart,))


def _reading() -> Section:
    return Section(
        "reading",
        "How not to read this page",
        (
            "A mean map shows where the network's score comes from on average, not where pictures were manipulated: "
            "a place can be coloured because the classes differ there in light, framing or hair.",
            "A mean hides what single pictures do: where the spread is larger than the mean, most pictures differ "
            "from the mean map.",
            "A difference of means counts as found only where it exceeds its noise, and the noise counts groups "
            "(videos), not frames.",
        ),
    )


def _landmarks(gathered: Gathered) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Five landmarks of a typical face whose eyes lie where the common frame has them."""
    assert gathered.common is not None  # noqa: S101 - asked for aligned faces only
    (left, height), (right, _) = gathered.common
    apart = right - left
    nose, mouth = height + _NOSE_BELOW_EYES * apart, height + _MOUTH_BELOW_EYES * apart
    corners = [(0.5 + side * _MOUTH_HALF * apart, mouth) for side in (-1, 1)]
    return np.array([(left, height), (right, height), (0.5, nose), *corners], np.float32)


def _slug(text: str) -> str:
    kept = "".join(char if char.isascii() and char.isalnum() else "-" for char in text.lower()).strip("-")
    return "-".join(part for part in kept.split("-") if part) or "x"

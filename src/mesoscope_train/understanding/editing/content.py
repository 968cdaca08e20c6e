"""What the page of editing evidence says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mesoscope.manifest import Manifest
from mesoscope_train.understanding.editing.evidence import MASSES, PARTS
from mesoscope_train.understanding.editing.figures import draw_bundles, draw_parts
from mesoscope_train.understanding.page import Chart, Page, Section, Table

if TYPE_CHECKING:
    from mesoscope_train.understanding.editing.run import Answer, EditingOptions

_TITLES = {"for fake": "Evidence for fake", "either way": "Evidence either way"}
_SLUGS = {"for fake": "for-fake", "either way": "either-way"}


def page_of(answers: Sequence[Answer], manifest: Manifest, options: EditingOptions) -> Page:
    """The page, its figures drawn."""
    left_out = "; ".join(f"{reason}: {count:,}" for reason, count in answers[0].left_out.most_common(5))
    return Page(
        kind="Mesoscope editing evidence",
        title=f"Do maps find edits? {', '.join(sorted(manifest.codes('dataset')[1]))}",
        facts=[
            ("Bundles", "; ".join(f"{answer.name} (map of {answer.layer})" for answer in answers)),
            ("Manifest", f"{options.source}, content {manifest.digest()[:12]}"),
            ("Part", options.split or "all splits"),
            ("Parts of a face", "placed by five landmarks; left and right as the viewer sees them"),
            ("Left out", left_out or "nothing"),
        ],
        numbers=[("faces", f"{answers[0].faces:,}"), ("fakes", f"{answers[0].fakes:,}")],
        sections=[*(_section(answers, kind) for kind in MASSES), _reading()],
        command=options.command,
        made=options.made,
    )


def _section(answers: Sequence[Answer], kind: str) -> Section:
    found = [(answer.name, answer.evidence[kind]) for answer in answers]
    findings = tuple((level, f"{name}: {text}") for name, evidence in found for level, text in (evidence.verdict,))
    rows = tuple(
        (
            answer.name,
            f"{answer.evidence[kind].share.value:.3f}",
            f"{answer.evidence[kind].area.value:.3f}",
            answer.evidence[kind].against_area.words(),
            answer.evidence[kind].against_unedited.words(3),
            answer.evidence[kind].against_real.words(3),
            f"{answer.weak} of {answer.fakes}",
            str(answer.evidence[kind].without_mass),
        )
        for answer in answers
    )
    head = (
        "bundle",
        "mass on edited parts",
        "their area",
        "over area (1)",
        "over other fakes (0)",
        "over real (0)",
        "peak below floor",
        "no mass",
    )
    parts = tuple(
        (name, part, *(number.words() for number in evidence.parts[part]))
        for name, evidence in found
        for part in PARTS
    )
    charts = (
        Chart(
            f"bundles-{_SLUGS[kind]}",
            draw_bundles(found),
            "How much of the map lies on edited parts: over their area, more than on the same parts of other fakes, "
            "more than on those of real faces. Dotted: chance. 95 % intervals, groups drawn.",
        ),
        Chart(
            f"parts-{_SLUGS[kind]}",
            draw_parts(found),
            "Density of the map (share of mass over share of area) on each part, where it was edited and not.",
        ),
    )
    tables = (
        Table(head, rows, caption="In brackets: what chance gives"),
        Table(("bundle", "part", "edited", "other fakes", "real"), parts, names=2, caption="Density on each part"),
    )
    return Section(_SLUGS[kind], _TITLES[kind], (), findings, charts, tables)


def _reading() -> Section:
    return Section(
        "reading",
        "How this is to be read",
        (
            "A detector that never learned such edits has no reason to find them, and the numbers then say so. "
            "A number above chance against area alone proves nothing: a map that always marks the eyes passes.",
            "Of twenty comparisons with nothing in them one comes out by chance: with several bundles and two kinds "
            "of evidence, one small difference among many is no finding.",
            "Parts are ellipses around landmarks; an expert's edit has other edges, which lowers the numbers.",
        ),
    )

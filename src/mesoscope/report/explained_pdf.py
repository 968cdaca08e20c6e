"""The document of explanations as PDF (A4): a page a picture where its layers fit on one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from mesoscope.explain import OUTCOME_COLOURS
from mesoscope.report.explain_charts import spread_bar
from mesoscope.report.explain_words import READING
from mesoscope.report.explained import Document, ExplainedSection, FacePart, Line, PairPart, TrackPart, ViewPart
from mesoscope.report.explained_writer import document_formats
from mesoscope.report.pdf_fonts import prepare
from mesoscope.report.pdf_pages import MARGIN, Pages
from mesoscope.report.pdf_parts import ROWS_A_TABLE, Cell, PdfParts, badge
from mesoscope.report.pdf_shapes import Flowable, drawing, picture
from mesoscope.report.words import OUTCOME_TITLES, Fact, rule_facts

MAP_WIDTH = 122.0
"""Points of a picture with a map."""
TILE = 30.0
"""Points of a channel in a row of sixteen."""


@document_formats.register(".pdf")
def write_document_pdf(document: Document, path: Path) -> None:
    """Write a document as PDF; the same document gives the same bytes."""
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate  # noqa: PLC0415

    prepare()
    title = "Mesoscope explanations"
    pages = Pages(title, document.made, document.bundle)
    template = BaseDocTemplate(
        str(path),
        pagesize=(595.28, 841.89),
        title=f"{title}, {document.made}",
        author=f"mesoscope {document.program}",
        subject=f"bundle {document.bundle.contract.identifier}",
        invariant=True,
        pageCompression=1,
    )
    width, height = template.pagesize
    frame = Frame(MARGIN, MARGIN, width - 2 * MARGIN, height - 2 * MARGIN - 8, 0, 0, 0, 0)
    template.addPageTemplates(PageTemplate("page", [frame], onPageEnd=pages.page_ended))
    story = _Story(document, pages, width - 2 * MARGIN, height - 2 * MARGIN - 24)
    template.build(list(story.story()), canvasmaker=pages.canvas_maker())


class _Story(PdfParts):
    """The document as platypus flowables, top to bottom.

    Args:
        document: what to write.
        pages: told where sections begin and end.
        width, height: of the frame, in points.
    """

    def __init__(self, document: Document, pages: Pages, width: float, height: float) -> None:
        super().__init__(width, height)
        self._document, self._pages = document, pages

    def story(self) -> Iterator[Flowable]:
        """Everything."""
        from reportlab.platypus import PageBreak  # noqa: PLC0415

        yield from self._opening()
        for pair in self._document.pairs:
            yield PageBreak()
            yield from self._pair(pair)
        for section in self._document.sections:
            if section.faces or section.tracks:
                yield PageBreak()
                yield self._hook(partial(self._pages.begin, section))
                yield from self._section(section)
                yield self._hook(self._pages.end)
        yield PageBreak()
        yield from self._closing()

    def _opening(self) -> Iterator[Flowable]:
        document = self._document
        yield self._text("What the network saw", "title")
        yield self._text(
            f"Made {document.made} with mesoscope {document.program}, bundle {document.bundle.contract.identifier}.",
            "quiet",
        )
        yield self._text("How to read these pages, and how not to", "h2")
        yield from (self._text(line, "item", bullet="•") for line in READING)
        for missing in document.missing:
            yield self._boxed(f"Missing here: {missing}", "#b98b00")
        yield self._text("Files", "h2")
        if document.score_of_answers:
            yield self._text(f"Of those that have a label: {document.score_of_answers}.")
        widths = (34, None, 120, 46, 74, 62)
        head: tuple[str, ...] = ("No.", "File", "Outcome", "Score", "Label", "Localised")
        lines = iter(document.lines)
        while piece := list(islice(lines, ROWS_A_TABLE)):
            yield self._table(head, [self._line(line) for line in piece], widths)
            head = ()

    def _line(self, line: Line) -> list[Flowable | Cell]:
        note = [self._text(line.note, "quiet")] if line.note else []
        return [
            self._text(str(line.index), "right"),
            [self._text(line.name), *note],
            badge(line.outcome),
            self._text(line.score, "right"),
            self._text(line.truth.removeprefix("labelled ") or "–"),
            self._text(line.evidence),
        ]

    def _section(self, section: ExplainedSection) -> Iterator[Flowable]:
        yield self._text(section.name, "h2")
        truth = f" This file is {section.truth}." if section.truth else ""
        yield self._boxed(f"{section.sentence}{truth}", OUTCOME_COLOURS[section.outcome], bold=True)
        for warning in section.warnings:
            yield self._boxed(f"Warning: {warning}", "#b98b00")
        if section.scene:
            yield self._kept([picture(section.scene, self._width, 110), self._text(section.scene.caption, "quiet")])
        if section.scene_note:
            yield self._text(section.scene_note, "quiet")
        for face in section.faces:
            yield from self._face(face)
        for track in section.tracks:
            yield from self._track(track)

    def _face(self, face: FacePart) -> Iterator[Flowable]:
        if face.heading:
            yield self._text(face.heading, "h3")
        for place, view in enumerate(face.views):
            yield from self._view(face, view, first=place == 0)
        if face.layers:
            yield self._kept([self._text("Feature maps", "h3"), drawing(spread_bar(), self._width * 0.6)])
            for layer in face.layers:
                tile = TILE if layer.columns > 8 else 2 * TILE
                high = tile * -(-layer.figure.height * layer.columns // layer.figure.width)
                shown = picture(layer.figure, self._width, max(high, tile))
                yield self._kept([self._text(layer.caption, "quiet"), shown, self._gap()])
            if face.layers_note:
                yield self._text(face.layers_note, "quiet")
        last = []
        if face.final:
            last.append([picture(face.final, 96, 96), self._text(face.final.caption, "quiet")])
        if face.units:
            last.append([drawing(face.units, self._width - 150)])
        if last:
            yield self._columns(last, [140, self._width - 140] if len(last) == 2 else [self._width])

    def _view(self, face: FacePart, view: ViewPart, *, first: bool) -> Iterator[Flowable]:
        side = MAP_WIDTH if len(view.figures) == 1 else MAP_WIDTH * 0.86
        shown = [face.shown, *view.figures] if first or len(view.figures) > 1 else view.figures
        cells: list[list[Flowable]] = [
            [picture(figure, side - 6, side - 6), self._text(figure.caption, "quiet")] for figure in shown
        ]
        widths = [side] * len(cells)
        left = self._width - sum(widths)
        words = [self._marked(f"<b>{'' if view.localised else 'No localised evidence · '}{view.title}</b>", "body")]
        if view.curves:
            words.append(drawing(view.curves, left - 8))
        cells.append(words)
        yield self._kept(
            [
                self._columns(cells, [*widths, left]),
                drawing(view.bar, self._width * 0.7),
                self._text(f"{view.range}. {view.verdict} {view.sanity}", "quiet"),
            ]
        )

    def _columns(self, cells: list[list[Flowable]], widths: list[float]) -> Flowable:
        from reportlab.platypus import Table  # noqa: PLC0415

        style = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            ("TOPPADDING", (0, 0), (-1, -1), 1),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ]
        return Table([cells], widths, style=style, hAlign="LEFT")

    def _track(self, track: TrackPart) -> Iterator[Flowable]:
        first = [
            self._text(f"{track.title.capitalize()} · {OUTCOME_TITLES[track.outcome]}", "h3"),
            self._text(track.sentence),
        ]
        if track.timeline:
            first.append(drawing(track.timeline, self._width))
            first.append(self._text("Score of each sampled frame. Diamonds mark the frames that decided.", "quiet"))
        yield self._kept(first)
        yield from (picture(figure, self._width, 200) for figure in track.strip)
        if track.strip:
            yield self._text(track.strip_note, "quiet")
        if track.bar:
            yield drawing(track.bar, self._width * 0.7)
        if track.deciding:
            yield from self._face(track.deciding)

    def _pair(self, pair: PairPart) -> Iterator[Flowable]:
        yield self._text("Side by side", "h2")
        yield self._text(f"Left in each pair: {pair.left}. Right: {pair.right}. Both have one scale of colours.")
        if not pair.strip:
            yield self._text("No frame shows a judged face in both videos at the same time.")
        yield from (picture(figure, self._width, 220) for figure in pair.strip)
        if pair.bar:
            yield drawing(pair.bar, self._width * 0.7)

    def _closing(self) -> Iterator[Flowable]:
        document = self._document
        yield self._text("Methods", "h2")
        yield self._facts([Fact(name, what) for name, what in document.methods])
        yield self._text("Of this bundle", "h2")
        yield from (self._text(limit, "item", bullet="•") for limit in document.bundle.contract.limits)
        yield self._text("What judged, and by which rule", "h2")
        yield self._facts(rule_facts(document.bundle, document.verdict))
        yield self._kept(
            [
                self._text("To get this document again", "h2"),
                self._text(f"With the same files, the same bundle and mesoscope {document.program}:"),
                self._text(document.command, "code"),
            ]
        )

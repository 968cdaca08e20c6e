r"""The report as PDF (A4), with ReportLab's platypus.

The font is Bitstream Vera, which comes inside ReportLab and is embedded; it has the Latin letters. What it
lacks (other scripts, emoji: in file names) is written as ``\u{4f60}``, and a note says so; the HTML report
shows such names as they are. Apart from the date the same report gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from mesoscope.explain import OUTCOME_COLOURS
from mesoscope.report.card import card_tokens
from mesoscope.report.content import DecidingFrame, FaceRow, Figure, Report, Row, Section, TrackPart
from mesoscope.report.pdf_fonts import prepare
from mesoscope.report.pdf_pages import MARGIN, Pages
from mesoscope.report.pdf_parts import ROWS_A_TABLE, Cell, PdfParts, badge
from mesoscope.report.pdf_shapes import Flowable, drawing, picture
from mesoscope.report.words import GENERAL_LIMITS, OUTCOME_MEANINGS, OUTCOME_TITLES, rule_facts
from mesoscope.report.writer import formats

FRAMES_A_ROW = 3
"""Of the frames that decided: as many as a track has, so that they stand side by side."""
MAX_ROWS = 1000
"""Files in the table: beyond, pages of rows serve nobody (and cost memory); the HTML report has them all."""


@formats.register(".pdf")
def write_pdf(report: Report, path: Path) -> None:
    """Write a report as PDF. Memory grows with the pictures shown, not with the number of files."""
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate  # noqa: PLC0415

    prepare()
    pages = Pages("Mesoscope report", report.made, report.bundle)
    document = BaseDocTemplate(
        str(path),
        pagesize=(595.28, 841.89),
        title=f"Mesoscope report, {report.made}",
        author=f"mesoscope {report.program}",
        subject=f"bundle {report.bundle.contract.identifier}",
        invariant=True,
        pageCompression=1,
    )
    width, height = document.pagesize
    frame = Frame(MARGIN, MARGIN, width - 2 * MARGIN, height - 2 * MARGIN - 8, 0, 0, 0, 0)
    document.addPageTemplates(PageTemplate("page", [frame], onPageEnd=pages.page_ended))
    writer = _Story(report, pages, width - 2 * MARGIN, height - 2 * MARGIN - 24)
    document.build(list(writer.story()), canvasmaker=pages.canvas_maker())


class _Story(PdfParts):
    """The report as platypus flowables, top to bottom.

    Args:
        report: what to write.
        pages: told where sections begin and end.
        width, height: of the frame, in points.
    """

    def __init__(self, report: Report, pages: Pages, width: float, height: float) -> None:
        super().__init__(width, height)
        self._report, self._pages = report, pages

    def story(self) -> Iterator[Flowable]:
        """Everything."""
        from reportlab.platypus import PageBreak  # noqa: PLC0415

        report = self._report
        yield self._text("Mesoscope report", "title")
        yield self._text(
            f"Made {report.made} with mesoscope {report.program}, bundle {report.bundle.contract.identifier}.",
            "quiet",
        )
        yield self._text(
            "A score is a measurement, not proof. Read “What this report can and cannot say”, at the end, before you "
            "use it."
        )
        if report.total != 1:
            yield from self._summary()
        shown_before = report.total != 1
        for section in report.sections:
            # sections of words alone (errors, no face) share pages
            shown = bool(section.picture or section.tracks)
            if shown_before or (shown and section is not report.sections[0]):
                yield PageBreak()
            shown_before = shown
            yield self._hook(partial(self._pages.begin, section))
            yield from self._section(section)
            yield self._hook(self._pages.end)
        yield PageBreak()
        yield from self._closing()

    def _summary(self) -> Iterator[Flowable]:
        from reportlab.platypus import CondPageBreak  # noqa: PLC0415

        report = self._report
        yield self._text("Summary", "h2")
        if not report.total:
            yield self._text("No file was judged.")
            return
        rows: list[list[Flowable | Cell]] = [
            [
                badge(outcome),
                self._text(f"{report.counts[outcome]:,}", "right"),
                self._text(OUTCOME_MEANINGS[outcome]),
            ]
            for outcome in OUTCOME_TITLES
        ]
        rows.append([self._text("All"), self._text(f"{report.total:,}", "right"), self._text("")])
        yield self._table(("Outcome", "Files", "Meaning"), rows, (180, 50, None))
        if report.left_out:
            yield self._text(report.left_out, "quiet")
        yield CondPageBreak(120)
        yield self._text("All files" if report.total <= MAX_ROWS else "Files", "loose")
        if report.total > MAX_ROWS:
            yield self._text(
                f"The table holds {MAX_ROWS:,} of {report.total:,} files, chosen as above; an HTML report "
                "(--report FILE.html) holds them all.",
                "quiet",
            )
        widths = (34, None, 162, 46, 50)
        entries = report.rows(MAX_ROWS)
        head: tuple[str, ...] = ("No.", "File", "Outcome", "Score", "By")
        while piece := list(islice(entries, ROWS_A_TABLE)):
            yield self._table(head, [self._file_row(row) for row in piece], widths)
            head = ()

    def _file_row(self, row: Row) -> list[Flowable | Cell]:
        name: list[Flowable] = [self._text(row.name)]
        if row.note:
            name.append(self._text(row.note, "quiet"))
        return [
            self._text(str(row.index), "right"),
            name,
            badge(row.outcome),
            self._text(row.probability, "right"),
            self._text(row.decided_by),
        ]

    def _section(self, section: Section) -> Iterator[Flowable]:
        from reportlab.platypus import CondPageBreak  # noqa: PLC0415

        yield self._text(section.name, "h2")
        yield self._boxed(section.sentence, OUTCOME_COLOURS[section.outcome], bold=True)
        if section.gauge:
            yield drawing(section.gauge, self._width * 0.92)
        for warning in section.warnings:
            yield self._boxed(f"Warning: {warning}", "#b98b00")
        yield from self._pictures(section)
        yield self._kept([self._text("This file", "h3"), self._facts(section.facts)])
        if section.faces:
            # not kept with the whole table, which would leave half a page empty: only with its first row
            yield CondPageBreak(150)
            yield self._text("Faces", "loose")
            rows = [self._face_row(face) for face in section.faces]
            yield self._table(("Judged area and its map", "Face", "Score"), rows, (186, None, 52))
        if section.faces_note:
            yield self._text(section.faces_note, "quiet")
        for track in section.tracks:
            yield from self._track(track)
        if section.tracks_note:
            yield self._text(section.tracks_note, "quiet")

    def _pictures(self, section: Section) -> Iterator[Flowable]:
        figures = [figure for figure in (section.picture, section.overlay) if figure]
        if not figures:
            return
        # pictures much wider than high are shown one above the other, as large as the page allows
        side_by_side = len(figures) == 2 and figures[0].width <= 1.7 * figures[0].height
        width = (self._width - 10) / 2 if side_by_side else self._width
        cells = [self._figure(figure, width, self._height * 0.3) for figure in figures]
        if side_by_side:
            yield self._grid([cells], 2)
        else:
            for cell in cells:
                yield self._kept(cell)
        if section.colour_bar:
            yield self._kept(
                [
                    drawing(section.colour_bar, self._width * 0.92),
                    self._text(f"{section.map_caption} Triangles mark the real range.", "quiet"),
                ]
            )

    def _figure(self, figure: Figure, width: float, height: float) -> list[Flowable]:
        return [picture(figure, width, height), self._gap(), self._text(figure.caption, "quiet")]

    def _face_row(self, face: FaceRow) -> list[Flowable | Cell]:
        thumbs = [picture(figure, 84, 84) for figure in (face.thumb, face.thumb_map) if figure]
        shown = self._grid([thumbs], 2, 178) if thumbs else self._text("–")
        words = [
            self._marked(f"<b>{face.title.capitalize()}</b> · {OUTCOME_TITLES[face.outcome]}", "body"),
            *(self._text(note, "quiet") for note in face.notes),
        ]
        return [shown, words, self._text(face.probability, "right")]

    def _track(self, track: TrackPart) -> Iterator[Flowable]:
        first = [
            self._text(f"{track.title.capitalize()} · {OUTCOME_TITLES[track.outcome]}", "h3"),
            self._text(track.sentence),
        ]
        if track.timeline:
            first.append(drawing(track.timeline, self._width))
            words = "Score of each sampled frame. Diamonds mark the frames that carried the outcome most."
            first.append(self._text(words, "quiet"))
        yield self._kept(first)
        cells = [self._deciding(frame) for frame in track.frames]
        for start in range(0, len(cells), FRAMES_A_ROW):
            yield self._grid([cells[start : start + FRAMES_A_ROW]], FRAMES_A_ROW)

    def _deciding(self, part: DecidingFrame) -> list[Flowable]:
        width = self._width / FRAMES_A_ROW - 5
        side = width / 2 - 5
        thumbs = [picture(figure, side, side) for figure in (part.face, part.face_map) if figure]
        cell = [picture(part.frame, width, 190)]
        if thumbs:
            cell.append(self._grid([thumbs], 2, width))
        return [*cell, self._gap(), self._text(part.caption, "quiet")]

    def _closing(self) -> Iterator[Flowable]:
        report = self._report
        yield self._text("What this report can and cannot say", "h2")
        yield self._text("Of every detector", "h3")
        yield from (self._text(limit, "item", bullet="•") for limit in GENERAL_LIMITS)
        yield self._text("Of this bundle", "h3")
        yield from (self._text(limit, "item", bullet="•") for limit in report.bundle.contract.limits)
        yield self._text("What judged, and by which rule", "h2")
        yield self._facts(rule_facts(report.bundle, report.verdict))
        yield self._kept(
            [
                self._text("To get this report again", "h2"),
                self._text(f"With the same files, the same bundle and mesoscope {report.program}:"),
                self._text(report.command, "code"),
                self._text(
                    "The results as JSON come from the same command with --json or --jsonl. Characters that this "
                    "file’s font lacks are written by their Unicode number, as \\u{4f60}; the HTML report shows them "
                    "as they are.",
                    "quiet",
                ),
            ]
        )
        yield self._text("The bundle’s card", "h2")
        yield from self._card(card_tokens(report.bundle.card))

r"""The report as PDF (A4), with ReportLab's platypus.

The font is Bitstream Vera, which comes inside ReportLab and is embedded; it has the Latin letters. What it
lacks (other scripts, emoji: in file names) is written as ``\u{4f60}``, and a note says so; the HTML report
shows such names as they are. Apart from the date the same report gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from mesoscope.explain import OUTCOME_COLOURS
from mesoscope.report.card import card_tokens
from mesoscope.report.content import DecidingFrame, FaceRow, Figure, Report, Row, Section, TrackPart
from mesoscope.report.pdf_fonts import BOLD, REGULAR, printable, register_fonts
from mesoscope.report.pdf_pages import MARGIN, Pages
from mesoscope.report.pdf_shapes import Flowable, drawing, picture
from mesoscope.report.words import GENERAL_LIMITS, OUTCOME_MEANINGS, OUTCOME_TITLES, Fact, rule_facts
from mesoscope.report.writer import formats
from mesoscope.types import Outcome

if TYPE_CHECKING:
    from markdown_it.token import Token

MAX_ROWS = 1000
FRAMES_A_ROW = 3
"""Of the frames that decided: as many as a track has, so that they stand side by side."""
"""Files in the table: beyond, pages of rows serve nobody (and cost memory); the HTML report has them all."""
_ROWS_A_TABLE = 100
"""Long tables are cut into many: laying out one of 20,000 rows would take time that grows with its square."""
_CELL_PADDING = 10.0
"""Points beside the text of a table's cell, a hair more than the padding of both sides."""
_NUMBERS = frozenset({"No.", "Files", "Score"})
"""Columns of numbers stand on the right."""


@formats.register(".pdf")
def write_pdf(report: Report, path: Path) -> None:
    """Write a report as PDF. Memory grows with the pictures shown, not with the number of files."""
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate  # noqa: PLC0415

    register_fonts()
    pages = Pages(report)
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


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    colour: str | None = None
    dark_text: bool = False


class _Story:
    """The report as platypus flowables, top to bottom.

    Args:
        report: what to write.
        pages: told where sections begin and end.
        width, height: of the frame, in points.
    """

    def __init__(self, report: Report, pages: Pages, width: float, height: float) -> None:
        from reportlab.lib.styles import ParagraphStyle  # noqa: PLC0415

        self._report, self._pages, self._width, self._height = report, pages, width, height
        body = ParagraphStyle("body", fontName=REGULAR, fontSize=8.8, leading=12.4, textColor="#20242a", spaceAfter=4)
        quiet = ParagraphStyle("quiet", body, fontSize=7.6, leading=10.4, textColor="#59616c")
        self._styles = {
            "body": body,
            "quiet": quiet,
            "right": ParagraphStyle("right", body, alignment=2),
            "title": ParagraphStyle("title", body, fontName=BOLD, fontSize=19, leading=24),
            "h2": ParagraphStyle("h2", body, fontName=BOLD, fontSize=13, leading=17, spaceBefore=14, keepWithNext=1),
            "h3": ParagraphStyle("h3", body, fontName=BOLD, fontSize=10, leading=13, spaceBefore=9, keepWithNext=1),
            "loose": ParagraphStyle("loose", body, fontName=BOLD, fontSize=10, leading=13, spaceBefore=9),
            "item": ParagraphStyle("item", body, leftIndent=14, bulletIndent=4),
            "code": ParagraphStyle(
                "code",
                body,
                fontSize=8,
                leading=11.5,
                backColor="#f1f3f6",
                borderPadding=5,
                spaceBefore=6,
                spaceAfter=9,
                leftIndent=6,
                rightIndent=6,
            ),
        }

    def _text(self, text: str, style: str = "body", *, bullet: str | None = None) -> Flowable:
        return self._marked(escape(printable(text)), style, bullet=bullet)

    def _marked(self, markup: str, style: str, *, bullet: str | None = None) -> Flowable:
        from reportlab.platypus import Paragraph  # noqa: PLC0415

        return Paragraph(markup, self._styles[style], bulletText=bullet)

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

    def _hook(self, call: Callable[[], None]) -> Flowable:
        """Calls a function when the layout comes to this place; takes no room."""
        from reportlab.platypus.flowables import Flowable as Base  # noqa: PLC0415

        class _Hook(Base):  # type: ignore[misc]  # ReportLab has no type stubs
            def wrap(self, *_: float) -> tuple[float, float]:
                return 0, 0

            def draw(self) -> None:
                call()

        return _Hook()

    def _summary(self) -> Iterator[Flowable]:
        from reportlab.platypus import CondPageBreak  # noqa: PLC0415

        report = self._report
        yield self._text("Summary", "h2")
        if not report.total:
            yield self._text("No file was judged.")
            return
        rows: list[list[Flowable | _Cell]] = [
            [
                _badge(outcome),
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
        while piece := list(islice(entries, _ROWS_A_TABLE)):
            yield self._table(head, [self._file_row(row) for row in piece], widths)
            head = ()

    def _file_row(self, row: Row) -> list[Flowable | _Cell]:
        name: list[Flowable] = [self._text(row.name)]
        if row.note:
            name.append(self._text(row.note, "quiet"))
        return [
            self._text(str(row.index), "right"),
            name,
            _badge(row.outcome),
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

    def _face_row(self, face: FaceRow) -> list[Flowable | _Cell]:
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

    def _gap(self) -> Flowable:
        from reportlab.platypus import Spacer  # noqa: PLC0415

        return Spacer(1, 3)

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

    def _card(self, tokens: Sequence[Token]) -> Iterator[Flowable]:
        """Markdown, simply: headings, paragraphs, lists, tables, code."""
        from reportlab.platypus import Indenter  # noqa: PLC0415

        style, bullet, level = "body", None, 0
        counters: list[int | None] = []
        place = 0
        while place < len(tokens):
            token = tokens[place]
            if token.type == "table_open":
                end = next(i for i in range(place, len(tokens)) if tokens[i].type == "table_close")
                yield self._card_table(tokens[place:end])
                place = end
            elif token.type in ("bullet_list_open", "ordered_list_open"):
                counters.append(int(token.attrGet("start") or 1) if token.type == "ordered_list_open" else None)
                level += 1
            elif token.type in ("bullet_list_close", "ordered_list_close"):
                counters.pop()
                level -= 1
            elif token.type == "list_item_open":
                bullet, counters[-1] = _bullet(counters[-1])
            elif token.type == "heading_open":
                style = "h3"
            elif token.type == "inline":
                chosen = "item" if level and style == "body" else style
                yield Indenter(14 * max(0, level - 1))
                yield self._marked(_inline(token), chosen, bullet=bullet)
                yield Indenter(-14 * max(0, level - 1))
                style, bullet = "body", None
            elif token.type in ("fence", "code_block"):
                yield self._code(token.content)
            place += 1

    def _code(self, text: str) -> Flowable:
        lines = (escape(printable(line)).replace(" ", "&nbsp;") for line in text.rstrip("\n").split("\n"))
        return self._marked("<br/>".join(lines), "code")

    def _card_table(self, tokens: Sequence[Token]) -> Flowable:
        rows: list[list[Flowable | _Cell]] = []
        texts: list[list[str]] = []
        for token in tokens:
            if token.type == "tr_open":
                rows.append([])
                texts.append([])
            elif token.type == "inline":
                rows[-1].append(self._marked(_inline(token), "body"))
                texts[-1].append(token.content)
        return self._table((), rows, self._column_widths(texts), headed=True)

    def _column_widths(self, rows: Sequence[Sequence[str]]) -> list[float | None]:
        """Room for each column's longest word; what is left goes where texts are longer than that.

        Args:
            rows: plain texts, as many in each row.

        Returns:
            points, in all the frame's width; all None (equal columns) where even the words find no room.
        """
        from reportlab.pdfbase.pdfmetrics import stringWidth  # noqa: PLC0415

        def longest(texts: Iterable[str]) -> float:
            size = self._styles["body"].fontSize
            return max((float(stringWidth(printable(text), BOLD, size)) for text in texts), default=0.0)

        columns = list(zip(*rows, strict=True))
        words = [longest(word for text in column for word in text.split()) + _CELL_PADDING for column in columns]
        more = [longest(column) + _CELL_PADDING - word for column, word in zip(columns, words, strict=True)]
        left = self._width - sum(words)
        if left < 0:
            return [None] * len(columns)
        share = [extra / sum(more) if sum(more) else 1 / len(columns) for extra in more]
        return [word + left * part for word, part in zip(words, share, strict=True)]

    def _facts(self, facts: Iterable[Fact]) -> Flowable:
        rows: list[list[Flowable | _Cell]] = [
            [self._text(fact.name, "quiet"), self._text(fact.value)] for fact in facts
        ]
        return self._table((), rows, (92, None))

    def _boxed(self, text: str, colour: str, *, bold: bool = False) -> Flowable:
        from reportlab.platypus import Table  # noqa: PLC0415

        markup = escape(printable(text))
        cell = self._marked(f"<b>{markup}</b>" if bold else markup, "body")
        style = [
            ("LINEBEFORE", (0, 0), (0, -1), 5, colour),
            ("BACKGROUND", (0, 0), (-1, -1), "#f5f6f8"),
            ("LEFTPADDING", (0, 0), (-1, -1), 12),
            ("TOPPADDING", (0, 0), (-1, -1), 5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
        ]
        return Table([[cell]], [self._width], style=style, spaceBefore=3, spaceAfter=6)

    def _table(
        self,
        head: Sequence[str],
        rows: Sequence[Sequence[Flowable | _Cell]],
        widths: Sequence[float | None],
        *,
        headed: bool = False,
    ) -> Flowable:
        """A ruled table; columns without a width share what is left, rows break between pages, the head repeats."""
        from reportlab.platypus import Table  # noqa: PLC0415

        free = self._width - sum(width or 0 for width in widths)
        columns = [width or free / sum(width is None for width in widths) for width in widths]
        first = 1 if head else 0
        lines: list[tuple[Any, ...]] = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, "#d5d9e0"),
            ("LEFTPADDING", (0, 0), (-1, -1), 4),
            ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            ("TOPPADDING", (0, 0), (-1, -1), 3),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1),
        ]
        if head or headed:
            lines.append(("LINEBELOW", (0, 0), (-1, 0), 0.9, "#20242a"))
        body = (
            [[self._marked(f"<b>{name}</b>", "right" if name in _NUMBERS else "body") for name in head]]
            if head
            else []
        )
        for place, row in enumerate(rows, start=first):
            lines += [
                ("LINEBEFORE", (column, place), (column, place), 3.5, cell.colour)
                for column, cell in enumerate(row)
                if isinstance(cell, _Cell) and cell.colour
            ]
            body.append([self._text(cell.text) if isinstance(cell, _Cell) else cell for cell in row])
        return Table(body, columns, style=lines, repeatRows=first, spaceAfter=0 if len(rows) == _ROWS_A_TABLE else 8)

    def _grid(self, rows: list[list[Flowable]], columns: int, width: float | None = None) -> Flowable:
        from reportlab.platypus import Table  # noqa: PLC0415

        padded = [[*row, *[""] * (columns - len(row))] for row in rows]
        style = [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 5),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ]
        return Table(padded, [(width or self._width) / columns] * columns, style=style, hAlign="LEFT", spaceAfter=4)

    def _kept(self, flowables: list[Flowable]) -> Flowable:
        from reportlab.platypus import KeepTogether  # noqa: PLC0415

        return KeepTogether(flowables)


def _badge(outcome: Outcome) -> _Cell:
    return _Cell(OUTCOME_TITLES[outcome], OUTCOME_COLOURS[outcome])


def _bullet(counter: int | None) -> tuple[str, int | None]:
    return ("•", None) if counter is None else (f"{counter}.", counter + 1)


_MARKS = {"strong_open": "<b>", "strong_close": "</b>", "em_open": "<i>", "em_close": "</i>"}


def _inline(token: Token) -> str:
    """Markdown's inline content as ReportLab's markup; links become their text with the address behind."""
    parts: list[str] = []
    addresses: list[str] = []
    for child in token.children or []:
        if child.type == "link_open":
            addresses.append(str(child.attrGet("href") or ""))
        elif child.type == "link_close":
            parts.append(escape(printable(f" ({addresses.pop()})")))
        elif child.type in ("softbreak", "hardbreak"):
            parts.append(" " if child.type == "softbreak" else "<br/>")
        else:
            parts.append(_MARKS.get(child.type) or escape(printable(child.content)))
    return "".join(parts)

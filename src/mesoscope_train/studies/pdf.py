"""A study's page as a PDF: the same content, with selectable text, by ReportLab's own layout engine."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from PIL import Image
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer
from reportlab.platypus import Image as Picture
from reportlab.platypus import Table as Cells

from mesoscope.atomic import explained, replacing
from mesoscope.report.words import visible
from mesoscope_train.studies.content import Page, Table
from mesoscope_train.studies.page import picture_of

_MARGIN = 16 * mm
_WIDTH = A4[0] - 2 * _MARGIN
_TEXT = ParagraphStyle("text", fontName="Helvetica", fontSize=8.5, leading=11.5)
_SMALL = ParagraphStyle("small", parent=_TEXT, fontSize=7, leading=9, wordWrap="CJK")
_TITLE = ParagraphStyle("title", parent=_TEXT, fontName="Helvetica-Bold", fontSize=16, leading=20, spaceAfter=4)
_HEAD = ParagraphStyle(
    "head", parent=_TEXT, fontName="Helvetica-Bold", fontSize=11, leading=14, spaceBefore=9, spaceAfter=3
)
_WARNING = ParagraphStyle("warning", parent=_TEXT, textColor=colors.HexColor("#9a3a00"))


def write_pdf(page: Page, path: Path) -> None:
    """Write the PDF; whole or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    with replacing(path) as partial, explained(path):
        document = SimpleDocTemplate(
            str(partial),
            pagesize=A4,
            **{f"{side}Margin": _MARGIN for side in ("left", "right", "top", "bottom")},
            title=f"Study {page.study.number}: {page.study.title}",
            author="mesoscope",
            creator=f"mesoscope {page.program}",
        )
        document.build(list(_story(page)))


def _story(page: Page) -> Iterator[Flowable]:
    study = page.study
    yield _paragraph(f"Mesoscope study {study.number} of 5: {study.name}", _SMALL)
    yield _paragraph(study.title, _TITLE)
    yield _paragraph(study.question)
    for box in page.boxes:
        yield _paragraph(". ".join((box.title, *box.sentences)), _WARNING)
    yield _paragraph("Claim beside measurement", _HEAD)
    rows = tuple((row.claim.what, row.claim.claimed, row.answer, row.claim.why) for row in page.claims)
    head = ("what", "claimed", "measured here (95 %, by group)", "why they may differ")
    yield _cells(Table(head, rows), (0.25, 0.16, 0.27, 0.32))
    yield _paragraph("Data", _HEAD)
    yield _paragraph(study.own_data)
    yield _cells(page.data, (0.25, 0.55, 0.2))
    for name, sentences in page.audits:
        yield _paragraph(f"Audit of {name}: {'; '.join(sentences)}", _SMALL)
    yield _paragraph("Networks", _HEAD)
    yield _cells(page.networks)
    for name, chosen, _yaml in page.settings:
        yield _paragraph(f"{name}: chosen by us, not stated by the study: {chosen}", _SMALL)
    for shown in page.shown:
        if shown.exhibit.kind in {"picture", "strip"}:
            yield Spacer(1, 4 * mm)
            yield _picture(picture_of(shown))
            yield _paragraph(shown.exhibit.caption, _SMALL)
        elif shown.table is not None:
            yield _paragraph(shown.exhibit.caption, _HEAD)
            yield _cells(shown.table)
    if page.not_run.rows:
        yield _paragraph("What was not run here", _HEAD)
        yield _cells(page.not_run, (0.18, 0.32, 0.5))
    yield _paragraph("How to make it again", _HEAD)
    yield _cells(page.steps, (0.18, 0.1, 0.1, 0.62))


def _paragraph(text: str, style: ParagraphStyle = _TEXT) -> Paragraph:
    return Paragraph(escape(visible(text)), style)


def _cells(table: Table, shares: tuple[float, ...] | None = None) -> Flowable:
    if not table.rows:
        return _paragraph("none", _SMALL)
    rows = [[_paragraph(text, _SMALL) for text in row] for row in (table.head, *table.rows)]
    widths = [_WIDTH * share for share in shares or [1 / len(table.head)] * len(table.head)]
    hair = colors.HexColor("#c9ced6")
    everywhere = ((0, 0), (-1, -1))
    padding = {"LEFTPADDING": 2, "RIGHTPADDING": 4, "TOPPADDING": 1.5, "BOTTOMPADDING": 1.5}
    style = [
        ("VALIGN", *everywhere, "TOP"),
        ("LINEBELOW", *everywhere, 0.3, hair),
        ("LINEBELOW", (0, 0), (-1, 0), 0.7, colors.black),
        *((name, *everywhere, points) for name, points in padding.items()),
    ]
    return Cells(rows, colWidths=widths, style=style, repeatRows=1)


def _picture(png: bytes) -> Picture:
    with Image.open(io.BytesIO(png)) as image:
        width, height = image.size
    scale = min(_WIDTH / width, 200 * mm / height)
    return Picture(io.BytesIO(png), width * scale, height * scale)

"""What the PDFs are made of: texts, tables, facts, pictures side by side, a bundle's card."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from mesoscope.explain import OUTCOME_COLOURS
from mesoscope.report.pdf_fonts import BOLD, REGULAR, printable
from mesoscope.report.pdf_shapes import Flowable
from mesoscope.report.words import OUTCOME_TITLES, Fact
from mesoscope.types import Outcome

if TYPE_CHECKING:
    from markdown_it.token import Token

ROWS_A_TABLE = 100
"""Long tables are cut into many: laying out one of 20,000 rows would take time that grows with its square."""
_CELL_PADDING = 10.0
"""Points beside the text of a table's cell, a hair more than the padding of both sides."""
_TABLE_STYLES = ("body", "small", "tiny")
_NUMBERS = frozenset({"No.", "Files", "Score"})
"""Columns of numbers stand on the right."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A table's cell of plain text, with a coloured edge where a colour is given."""

    text: str
    colour: str | None = None


class PdfParts:
    """Platypus flowables in the reports' one style.

    Args:
        width, height: of the frame, in points.
    """

    def __init__(self, width: float, height: float) -> None:
        from reportlab.lib.styles import ParagraphStyle  # noqa: PLC0415

        self._width, self._height = width, height
        body = ParagraphStyle("body", fontName=REGULAR, fontSize=8.8, leading=12.4, textColor="#20242a", spaceAfter=4)
        quiet = ParagraphStyle("quiet", body, fontSize=7.6, leading=10.4, textColor="#59616c")
        self._styles = {
            "body": body,
            "quiet": quiet,
            "small": ParagraphStyle("small", body, fontSize=7.4, leading=10.2),
            "tiny": ParagraphStyle("tiny", body, fontSize=6.2, leading=8.6),
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

    def _hook(self, call: Callable[[], None]) -> Flowable:
        """Calls a function when the layout comes to this place; takes no room."""
        from reportlab.platypus.flowables import Flowable as Base  # noqa: PLC0415

        class _Hook(Base):  # type: ignore[misc]  # ReportLab has no type stubs
            def wrap(self, *_: float) -> tuple[float, float]:
                return 0, 0

            def draw(self) -> None:
                call()

        return _Hook()

    def _gap(self) -> Flowable:
        from reportlab.platypus import Spacer  # noqa: PLC0415

        return Spacer(1, 3)

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
        cells: list[list[Token]] = []
        for token in tokens:
            if token.type == "tr_open":
                cells.append([])
            elif token.type == "inline":
                cells[-1].append(token)
        texts = [[token.content for token in row] for row in cells]
        style, widths = "tiny", None
        for name in _TABLE_STYLES:  # many columns in smaller letters: a number that is broken is hard to read
            widths = self._column_widths(texts, name)
            if widths is not None:
                style = name
                break
        rows: list[list[Flowable | Cell]] = [[self._marked(_inline(token), style) for token in row] for row in cells]
        return self._table((), rows, widths or [None] * len(texts[0]), headed=True)

    def _column_widths(self, rows: Sequence[Sequence[str]], style: str) -> list[float | None] | None:
        """Room for each column's longest word; what is left goes where texts are longer than that.

        Args:
            rows: plain texts, as many in each row.
            style: of the letters.

        Returns:
            points, in all the frame's width; None where even the words find no room.
        """
        from reportlab.pdfbase.pdfmetrics import stringWidth  # noqa: PLC0415

        def longest(texts: Iterable[str]) -> float:
            size = self._styles[style].fontSize
            return max((float(stringWidth(printable(text), BOLD, size)) for text in texts), default=0.0)

        columns = list(zip(*rows, strict=True))
        words = [longest(word for text in column for word in text.split()) + _CELL_PADDING for column in columns]
        more = [longest(column) + _CELL_PADDING - word for column, word in zip(columns, words, strict=True)]
        left = self._width - sum(words)
        if left < 0:
            return None
        share = [extra / sum(more) if sum(more) else 1 / len(columns) for extra in more]
        return [word + left * part for word, part in zip(words, share, strict=True)]

    def _facts(self, facts: Iterable[Fact]) -> Flowable:
        rows: list[list[Flowable | Cell]] = [
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
        rows: Sequence[Sequence[Flowable | Cell]],
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
                if isinstance(cell, Cell) and cell.colour
            ]
            body.append([self._text(cell.text) if isinstance(cell, Cell) else cell for cell in row])
        return Table(body, columns, style=lines, repeatRows=first, spaceAfter=0 if len(rows) == ROWS_A_TABLE else 8)

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


def badge(outcome: Outcome) -> Cell:
    """An outcome in words, with its colour at the edge."""
    return Cell(OUTCOME_TITLES[outcome], OUTCOME_COLOURS[outcome])


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

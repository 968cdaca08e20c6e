"""Head and foot of the PDF's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mesoscope.bundle import Bundle
from mesoscope.report.pdf_fonts import REGULAR

if TYPE_CHECKING:
    from mesoscope.report.content import Section
    from mesoscope.report.explained import ExplainedSection

Canvas = Any
"""ReportLab has no type stubs."""
MARGIN, HEAD = 50.0, 34.0
"""Points."""


class Pages:
    """Head and foot of every page; their number is known only at the end, so they are drawn then.

    Args:
        title: of the document.
        made: when, as text.
        bundle: that judged.
    """

    def __init__(self, title: str, made: str, bundle: Bundle) -> None:
        self._title, self._made, self._bundle = title, made, bundle
        self._here: list[str] = []
        self._running = False
        self._notes: list[str] = []

    def begin(self, section: Section | ExplainedSection) -> None:
        """From here on the page speaks of this input."""
        self._here.append(f"input {section.index}" + (f" · sha256 {section.sha256[:12]}…" if section.sha256 else ""))
        self._running = True

    def end(self) -> None:
        """From here on the page speaks of no input."""
        self._running = False

    def page_ended(self, *_: object) -> None:
        """Remember which inputs the page spoke of; one that goes on stands on the next page too."""
        more = f" and {len(self._here) - 3} more" if len(self._here) > 3 else ""
        self._notes.append(", ".join(self._here[:3]) + more)
        self._here = self._here[-1:] if self._running else []

    def canvas_maker(self) -> type:
        """A canvas class that keeps its pages until all are there."""
        from reportlab.pdfgen import canvas  # noqa: PLC0415

        pages = self

        class _NumberedCanvas(canvas.Canvas):  # type: ignore[misc]  # ReportLab has no type stubs
            def __init__(self, *args: object, **settings: object) -> None:
                super().__init__(*args, **settings)
                self._kept: list[dict[str, Any]] = []

            def showPage(self) -> None:  # noqa: N802 - ReportLab's name
                self._kept.append(dict(self.__dict__))
                self._startPage()

            def save(self) -> None:
                for place, state in enumerate(self._kept, start=1):
                    self.__dict__.update(state)
                    pages.draw(self, place, len(self._kept))
                    super().showPage()
                super().save()

        return _NumberedCanvas

    def draw(self, canvas: Canvas, place: int, total: int) -> None:
        """Draw head and foot of one page."""
        width, height = canvas._pagesize
        canvas.setFillColor("#59616c")
        canvas.setStrokeColor("#c9ced6")
        canvas.setLineWidth(0.5)
        canvas.setFont(REGULAR, 7.5)
        bundle = self._bundle
        canvas.drawString(MARGIN, height - HEAD, f"{self._title} · {self._made}")
        canvas.drawRightString(
            width - MARGIN, height - HEAD, f"bundle {bundle.contract.identifier} · sha256 {bundle.sha256[:12]}…"
        )
        canvas.line(MARGIN, height - HEAD - 5, width - MARGIN, height - HEAD - 5)
        canvas.line(MARGIN, HEAD + 5, width - MARGIN, HEAD + 5)
        note = self._notes[place - 1] if place <= len(self._notes) else ""
        canvas.drawString(MARGIN, HEAD - 6, note)
        canvas.drawRightString(width - MARGIN, HEAD - 6, f"page {place} of {total}")

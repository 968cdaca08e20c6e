"""What a study leaves besides its steps' files: the page, the PDF, and the claims as JSON."""

from __future__ import annotations

from pathlib import Path

from mesoscope.atomic import explained, replacing
from mesoscope_train.studies.content import Ran, as_json, page_of
from mesoscope_train.studies.page import write_page
from mesoscope_train.studies.pdf import write_pdf


def write_study(ran: Ran) -> list[Path]:
    """Write ``index.html``, ``study.pdf`` and ``study.json`` into the study's directory; returns their paths.

    Raises:
        UsageError: one cannot be written.
    """
    page = page_of(ran)
    html, pdf, facts = ran.out / "index.html", ran.out / "study.pdf", ran.out / "study.json"
    write_page(page, html)
    write_pdf(page, pdf)
    with replacing(facts) as partial, explained(facts):
        partial.write_text(as_json(page), encoding="utf-8")
    return [html, pdf, facts]

"""The document of explanations as one self-contained HTML file: no script, nothing loaded from elsewhere."""

from __future__ import annotations

from pathlib import Path

from mesoscope.report.explain_charts import spread_bar
from mesoscope.report.explain_words import READING
from mesoscope.report.explained import Document
from mesoscope.report.explained_writer import document_formats
from mesoscope.report.html import environment
from mesoscope.report.words import OUTCOME_TITLES, rule_facts, visible


@document_formats.register(".html")
def write_document_html(document: Document, path: Path) -> None:
    """Write a document as HTML, piece by piece: its pictures are never whole in memory."""
    pieces = (
        environment()
        .get_template("explanations.html.j2")
        .stream(
            document=document,
            titles=OUTCOME_TITLES,
            reading=READING,
            rule_facts=rule_facts(document.bundle, document.verdict),
            spread_bar=spread_bar(),
            command=visible(document.command),
        )
    )
    pieces.enable_buffering(64)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(pieces)

"""What people look at: the HTML and PDF report, pictures with overlays, the annotated video.

See ``docs/reports.md``. Heavy parts (Jinja, ReportLab, PyAV) are loaded when something is written.
"""

from mesoscope.report.annotate import annotate_video
from mesoscope.report.beside import check_pair, maps_of, write_beside
from mesoscope.report.explained_html import write_document_html
from mesoscope.report.explained_pdf import write_document_pdf
from mesoscope.report.explained_writer import ExplanationWriter
from mesoscope.report.html import write_html
from mesoscope.report.overlays import OverlayWriter, overlay_name, write_overlays
from mesoscope.report.pdf import write_pdf
from mesoscope.report.writer import DEFAULT_LIMIT, ReportWriter, formats, open_report

__all__ = [
    "DEFAULT_LIMIT",
    "ExplanationWriter",
    "OverlayWriter",
    "ReportWriter",
    "annotate_video",
    "check_pair",
    "formats",
    "maps_of",
    "open_report",
    "overlay_name",
    "write_beside",
    "write_document_html",
    "write_document_pdf",
    "write_html",
    "write_overlays",
    "write_pdf",
]

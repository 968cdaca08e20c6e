"""The PDF's font, and the characters that it has."""

from __future__ import annotations

from functools import lru_cache

from mesoscope.report.words import visible

REGULAR, BOLD = "MesoscopeVera", "MesoscopeVera-Bold"


def printable(text: str) -> str:
    r"""Text with the characters that the font lacks written as ``\u{4f60}``."""
    known = _known_characters()
    return "".join(char if ord(char) in known else f"\\u{{{ord(char):x}}}" for char in visible(text))


@lru_cache(maxsize=1)
def _known_characters() -> frozenset[int]:
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415

    register_fonts()
    faces = (pdfmetrics.getFont(REGULAR).face, pdfmetrics.getFont(BOLD).face)
    return frozenset(faces[0].charToGlyph) & frozenset(faces[1].charToGlyph)


def prepare() -> None:
    """Make ReportLab ready: the font, and pictures stored as they are.

    Left alone it writes every picture as text (ASCII base 85), a quarter larger and, without its compiled part,
    half a second a picture.
    """
    from reportlab import rl_config  # noqa: PLC0415

    rl_config.useA85 = 0
    register_fonts()


def register_fonts() -> None:
    """Make Bitstream Vera, which lies in ReportLab, known to it; again does nothing."""
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415
    from reportlab.pdfbase.ttfonts import TTFont  # noqa: PLC0415

    if REGULAR not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(REGULAR, "Vera.ttf"))
        pdfmetrics.registerFont(TTFont(BOLD, "VeraBd.ttf"))
        pdfmetrics.registerFontFamily(REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD)

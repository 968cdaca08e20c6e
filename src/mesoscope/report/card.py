"""A bundle's card (Markdown), read safely: no raw HTML, no pictures from elsewhere, links only to the web.

markdown-it-py (CommonMark, MIT) parses; it is already there as a dependency of Rich.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_DEMOTED = 2
"""A card's first heading becomes the report's third level."""


def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - only for who writes a report

    return MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def card_tokens(markdown: str) -> list[Token]:
    """The card as markdown-it's tokens, headings demoted."""
    tokens = _parser().parse(markdown)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + _DEMOTED)}"
    return tokens


def card_html(markdown: str) -> str:
    """The card as HTML, fit to be put into a page as it is; raw HTML in it comes out as text."""
    parser = _parser()
    html: str = parser.renderer.render(card_tokens(markdown), parser.options, {})
    return html

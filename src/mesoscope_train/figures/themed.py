"""A figure inside a page: SVG that takes colours and letters from the page, and follows its light or dark theme."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from matplotlib.figure import Figure

from mesoscope_train.figures.colours import THEME
from mesoscope_train.figures.saving import rendered

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_COLOUR = re.compile("|".join(re.escape(colour) for colour in THEME), re.IGNORECASE)
_REFERENCE = re.compile(r"url\(#")


def themed_svg(figure: Figure, name: str, description: str) -> str:
    """A figure as one ``<svg>`` element; the colours of `THEME` become custom properties of the page.

    Args:
        figure: drawn in the house style.
        name: keeps the names of its parts apart from those of the page's other figures; letters, digits, hyphens.
        description: what is to be seen, in words, for those who cannot see it.
    """
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    root = ElementTree.fromstring(rendered(figure, ".svg", "none"))  # noqa: S314 - matplotlib wrote it, just now
    _drop(root, "metadata")
    for element in root.iter():
        _theme(element, name)
    for size in ("width", "height"):
        root.attrib.pop(size, None)
    root.set("role", "img")
    root.set("aria-label", description)
    return ElementTree.tostring(root, encoding="unicode")


def _drop(element: ElementTree.Element, tag: str) -> None:
    """Remove what lies in `element` by this tag, and style sheets, which would reach the whole page."""
    for child in list(element):
        if child.tag in (f"{{{_SVG}}}{tag}", f"{{{_SVG}}}style"):
            element.remove(child)
        else:
            _drop(child, tag)


def _theme(element: ElementTree.Element, name: str) -> None:
    for key, value in list(element.attrib.items()):
        if key == "id":
            element.set(key, f"{name}-{value}")
        elif key in (f"{{{_XLINK}}}href", "href") and value.startswith("#"):
            element.set(key, f"#{name}-{value[1:]}")
        elif "url(#" in value:
            element.set(key, _REFERENCE.sub(f"url(#{name}-", value))
        elif key == "style":
            themed = _COLOUR.sub(lambda found: f"var({THEME[found[0].lower()]})", value)
            element.set(key, f"{themed}; font-family: inherit" if "font" in themed else themed)

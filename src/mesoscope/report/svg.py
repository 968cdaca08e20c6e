"""Charts as inline SVG."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from mesoscope.report.charts import Chart, Dot, Path, Rect, Shape, Text


def to_svg(chart: Chart) -> str:
    """A chart as one ``<svg>`` element; every text in it is escaped."""
    body = "".join(_SHAPES[type(shape)](shape) for shape in chart.shapes)
    return (
        f'<svg viewBox="0 0 {chart.width:g} {chart.height:g}" role="img" aria-label="{escape(chart.label)}" '
        f'xmlns="http://www.w3.org/2000/svg">{body}</svg>'
    )


def _rect(shape: Rect) -> str:
    return (
        f'<rect x="{shape.x:.1f}" y="{shape.y:.1f}" width="{shape.width:.1f}" height="{shape.height:.1f}" '
        f'fill="{shape.fill}"/>'
    )


def _path(shape: Path) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in shape.points)
    name, fill = ("polygon", shape.fill) if shape.fill else ("polyline", "none")
    dashes = ' stroke-dasharray="5 3"' if shape.dashed else ""
    return f'<{name} points="{points}" fill="{fill}" stroke="{shape.stroke}" stroke-width="{shape.width:g}"{dashes}/>'


def _dot(shape: Dot) -> str:
    return f'<circle cx="{shape.x:.1f}" cy="{shape.y:.1f}" r="{shape.radius:g}" fill="{shape.fill}"/>'


def _text(shape: Text) -> str:
    weight = ' font-weight="700"' if shape.bold else ""
    return (
        f'<text x="{shape.x:.1f}" y="{shape.y:.1f}" text-anchor="{shape.anchor}" font-size="{shape.size:g}" '
        f'fill="{shape.fill}"{weight}>{escape(shape.text)}</text>'
    )


_SHAPES: dict[type[Shape], Callable[..., str]] = {Rect: _rect, Path: _path, Dot: _dot, Text: _text}

"""Pictures and charts as ReportLab's flowables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mesoscope.report.charts import Chart, Dot, Rect, Shape, Text
from mesoscope.report.charts import Path as Line
from mesoscope.report.content import Figure
from mesoscope.report.pdf_fonts import BOLD, REGULAR, printable

Flowable = Any
"""ReportLab has no type stubs."""


class _PictureName(str):
    """A picture's path, by which ReportLab opens it; its text, by which ReportLab names it, is without the spool.

    So the same report gives the same bytes, whatever its temporary directory was called.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return "/".join(Path(self[:]).parts[-2:])


def picture(figure: Figure, width: float, height: float) -> Flowable:
    """A picture that fits in a space; opened only when it is drawn."""
    from reportlab.platypus import Image  # noqa: PLC0415

    factor = min(width / figure.width, height / figure.height)
    return Image(_PictureName(figure.path), figure.width * factor, figure.height * factor, lazy=2, hAlign="LEFT")


def drawing(chart: Chart, width: float) -> Flowable:
    """A chart, scaled to a width in points."""
    from reportlab.graphics.shapes import Drawing, Group  # noqa: PLC0415

    factor = width / chart.width
    canvas = Drawing(width, chart.height * factor)
    # ReportLab counts upwards: shapes are flipped one by one, so that texts stay upright
    group = Group(*(_shape(shape, chart.height) for shape in chart.shapes), transform=(factor, 0, 0, factor, 0, 0))
    canvas.add(group)
    canvas.hAlign = "LEFT"
    return canvas


def _shape(shape: Shape, height: float) -> Flowable:
    from reportlab.graphics import shapes  # noqa: PLC0415
    from reportlab.lib.colors import HexColor  # noqa: PLC0415

    if isinstance(shape, Rect):
        flipped = height - shape.y - shape.height
        return shapes.Rect(
            shape.x, flipped, shape.width, shape.height, fillColor=HexColor(shape.fill), strokeColor=None
        )
    if isinstance(shape, Dot):
        return shapes.Circle(
            shape.x, height - shape.y, shape.radius, fillColor=HexColor(shape.fill), strokeColor=None
        )
    if isinstance(shape, Text):
        return shapes.String(
            shape.x,
            height - shape.y,
            printable(shape.text),
            fontName=BOLD if shape.bold else REGULAR,
            fontSize=shape.size * 0.94,
            textAnchor=shape.anchor,
            fillColor=HexColor(shape.fill),
        )
    return _line(shape, height)


def _line(shape: Line, height: float) -> Flowable:
    from reportlab.graphics import shapes  # noqa: PLC0415
    from reportlab.lib.colors import HexColor  # noqa: PLC0415

    points = [value for x, y in shape.points for value in (x, height - y)]
    stroke = {"strokeColor": HexColor(shape.stroke), "strokeWidth": shape.width}
    if shape.fill:
        return shapes.Polygon(points, fillColor=HexColor(shape.fill), **stroke)
    return shapes.PolyLine(points, strokeDashArray=[5, 3] if shape.dashed else None, **stroke)

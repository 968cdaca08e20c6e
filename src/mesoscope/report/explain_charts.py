"""Charts of explanations: deletion and insertion, the last hidden layer, the colours of feature maps and of jet."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from mesoscope.explain import OUTCOME_COLOURS
from mesoscope.explain.faithfulness import FRACTIONS, Faithfulness
from mesoscope.explain.findings import Units
from mesoscope.explain.palettes import SPREAD, jet, viridis
from mesoscope.report.charts import GRID, INK, QUIET, Chart, Dot, Path, Rect, Shape, Text
from mesoscope.types import Float32Array, Outcome, UInt8Image

MOST_UNITS = 32
"""Of the last hidden layer, those that add most, where it has more."""
_BAND = "#dfe3e9"
_FAKE, _REAL = OUTCOME_COLOURS[Outcome.FAKE], OUTCOME_COLOURS[Outcome.REAL]
_Axis = Callable[[float], float]


def faithfulness_chart(found: Faithfulness) -> Chart:
    """Two panels with one scale: the logit while cells are taken away, and while they are put back."""
    chart = Chart(342.0, 196.0, f"deletion and insertion of cells: {found.sentence}")
    shapes = chart.shapes
    curves = (found.deletion, found.insertion, found.random_deletion, found.random_insertion)
    low = min((float(curve.min()) for curve in curves if curve.size), default=0.0)
    high = max((float(curve.max()) for curve in curves if curve.size), default=1.0)
    low, high = (low, high) if high - low > 1e-6 else (low - 0.5, high + 0.5)
    panels = (
        (34.0, "taken away", found.deletion, found.random_deletion),
        (198.0, "put back", found.insertion, found.random_insertion),
    )
    for left, title, own, random in panels:
        shapes.extend(_panel((left, left + 126.0, 26.0, 140.0), (low, high), title, own, random))
    colour = _FAKE if found.towards > 0 else _REAL
    shapes += [
        Path(((34.0, 187.0), (54.0, 187.0)), colour, 2.2),
        Text(59.0, 191.0, "this map", size=10),
        Rect(116.0, 182.0, 20.0, 10.0, _BAND),
        Path(((116.0, 187.0), (136.0, 187.0)), QUIET, 1.2, dashed=True),
        Text(141.0, 191.0, f"{len(found.random_gains)} random maps, their mean", size=10),
    ]
    words = f"logit, the strongest evidence for {_side(found)} taken away or put back first"
    shapes.append(Text(4.0, 11.0, words, size=9, fill=QUIET))
    for left, own in ((34.0, found.deletion), (198.0, found.insertion)):
        x, y = _axes(left, left + 126.0, low, high)
        points = tuple((x(share), y(float(value))) for share, value in zip(FRACTIONS, own, strict=True))
        shapes.append(Path(points, colour, 2.2))
        shapes += [Dot(*point, 2.4, colour) for point in points]
    return chart


def _side(found: Faithfulness) -> str:
    return "fake" if found.towards > 0 else "real"


def _axes(left: float, right: float, low: float, high: float) -> tuple[_Axis, _Axis]:
    top, bottom = 26.0, 140.0
    return (
        lambda share: left + share * (right - left),
        lambda value: bottom - (value - low) / (high - low) * (bottom - top),
    )


def _panel(
    frame: tuple[float, float, float, float],
    span: tuple[float, float],
    title: str,
    own: Float32Array,
    random: Float32Array,
) -> Iterator[Shape]:
    left, right, top, bottom = frame
    x, y = _axes(left, right, *span)
    if len(random):
        upper = [(x(share), y(float(value))) for share, value in zip(FRACTIONS, random.max(0), strict=True)]
        lower = [(x(share), y(float(value))) for share, value in zip(FRACTIONS, random.min(0), strict=True)]
        yield Path((*upper, *reversed(lower)), _BAND, 0.5, fill=_BAND)
        mean = tuple((x(share), y(float(value))) for share, value in zip(FRACTIONS, random.mean(0), strict=True))
        yield Path(mean, QUIET, 1.2, dashed=True)
    yield Path(((left, top), (left, bottom), (right, bottom)), QUIET)
    if span[0] < 0 < span[1]:
        yield Path(((left, y(0)), (right, y(0))), GRID)
    for value in span:
        yield Text(left - 4, y(value) + 4, f"{value:.1f}", "end", 9)
    for share in (0.0, 0.5, 1.0):
        yield Text(x(share), bottom + 13, f"{share:.0%}", "middle", 9)
    yield Text((left + right) / 2, bottom + 27, f"cells {title}", "middle", 10)


def units_chart(units: Units) -> Chart:
    """What each unit of the last hidden layer adds to the logit: up towards fake, down towards real."""
    order = np.argsort(-np.abs(units.contributions))[:MOST_UNITS]
    shown = np.sort(order)
    values = units.contributions[shown]
    reach = max(float(np.abs(values).max()), 1e-9)
    left, right, middle, half = 34.0, 466.0, 74.0, 48.0
    total = float(units.contributions.sum() + units.bias)
    few = f"the {len(shown)} units of {len(units.contributions)} that add most"
    which = few if len(shown) < len(units.contributions) else f"all {len(shown)} units"
    chart = Chart(470.0, 170.0, f"{units.layer}: {which}; their sum with the bias is the logit {total:+.2f}")
    shapes = chart.shapes
    step = (right - left) / len(shown)
    for place, (unit, value) in enumerate(zip(shown, values, strict=True)):
        height = abs(float(value)) / reach * half
        top = middle - height if value > 0 else middle
        at = left + place * step
        colour = _FAKE if value > 0 else _REAL
        shapes.append(Rect(at + step * 0.15, top, step * 0.7, max(height, 0.4), colour))
        shapes.append(Text(at + step / 2, middle + half + 16, str(unit), "middle", min(9.0, step * 0.62)))
    shapes += [
        Path(((left, middle), (right, middle)), INK),
        Text(left - 4, middle - half + 4, f"{reach:+.1f}", "end", 9),
        Text(left - 4, middle + 4, "0", "end", 9),
        Text(left - 4, middle + half + 4, f"{-reach:+.1f}", "end", 9),
        Text(left, 12, f"what each unit that goes into {units.layer} adds to the logit", size=10, fill=QUIET),
        Text(left, 153, f"{which}; up: towards fake, down: towards real", size=10),
        Text(left, 166, f"all units {total - units.bias:+.2f}, bias {units.bias:+.2f}, logit {total:+.2f}", size=10),
    ]
    return chart


def spread_bar() -> Chart:
    """The colours of feature maps."""
    return _bar(viridis(), (f"{-SPREAD:g} standard deviations", "the channel’s own mean", f"+{SPREAD:g}"))


def jet_bar(limit: float) -> Chart:
    """The colours of a map in jet."""
    return _bar(jet(), ("0: no evidence", "", f"{limit:.2g}"))


def _bar(colours: UInt8Image, words: tuple[str, str, str]) -> Chart:
    left, right, top, bar = 8.0, 612.0, 4.0, 12.0
    chart = Chart(620.0, 34.0, f"colours from {words[0]} to {words[2]}")
    shapes = chart.shapes
    steps = 64
    step = (right - left) / steps
    for index in range(steps):
        red, green, blue = (int(value) for value in colours[index * 255 // (steps - 1)])
        wide = min(step + 0.6, right - left - index * step)
        shapes.append(Rect(left + index * step, top, wide, bar, f"#{red:02x}{green:02x}{blue:02x}"))
    shapes += [
        Text(left, top + bar + 13, words[0]),
        Text((left + right) / 2, top + bar + 13, words[1], "middle"),
        Text(right, top + bar + 13, words[2], "end"),
    ]
    return chart

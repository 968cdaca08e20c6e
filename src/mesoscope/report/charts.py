"""Gauge, timeline and colour bar as plain shapes, so that HTML (SVG) and PDF draw the same thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from mesoscope.calibrate import Verdict
from mesoscope.explain import OUTCOME_COLOURS, MapScale, colourise
from mesoscope.report.words import apart
from mesoscope.types import FrameResult, Outcome, TrackResult

INK, QUIET, GRID = "#20242a", "#59616c", "#c9ced6"
TINTS = {Outcome.REAL: "#d5e5f5", Outcome.INCONCLUSIVE: "#fbeeb8", Outcome.FAKE: "#f7d9cd"}
"""Grounds of the three answers' ranges; each range is named in words where it is shown."""
Anchor = Literal["start", "middle", "end"]
_TEXT = 11.0
_Axis = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Rect:
    """A filled rectangle; x, y is its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    fill: str


@dataclass(frozen=True, slots=True)
class Path:
    """A polyline, or with `fill` a closed polygon."""

    points: tuple[tuple[float, float], ...]
    stroke: str = INK
    width: float = 1.0
    dashed: bool = False
    fill: str | None = None


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle."""

    x: float
    y: float
    radius: float
    fill: str


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text; y is its baseline."""

    x: float
    y: float
    text: str
    anchor: Anchor = "start"
    size: float = _TEXT
    bold: bool = False
    fill: str = INK


Shape = Rect | Path | Dot | Text


@dataclass(frozen=True, slots=True)
class Chart:
    """Shapes on a ground of width x height units, y downwards; `label` says in words what is to be seen."""

    width: float
    height: float
    label: str
    shapes: list[Shape] = field(default_factory=list)


def gauge(probability: float, verdict: Verdict, outcome: Outcome) -> Chart:
    """Where a score lies among the ranges of the three answers."""
    width, left, right, top, bar = 620.0, 24.0, 596.0, 30.0, 20.0
    label = (
        f"score {apart(probability, verdict.threshold, verdict.lower)} on a scale from 0 to 1; threshold "
        f"{apart(verdict.threshold, verdict.lower)}"
    )
    chart = Chart(width, 92.0, label)
    shapes = chart.shapes

    def x(value: float) -> float:
        return left + value * (right - left)

    ranges = (
        (0.0, verdict.lower, Outcome.REAL, "likely real"),
        (verdict.lower, verdict.threshold, Outcome.INCONCLUSIVE, "inconclusive"),
        (verdict.threshold, 1.0, Outcome.FAKE, "likely fake"),
    )
    for low, high, which, name in ranges:
        if high <= low:
            continue
        shapes.append(Rect(x(low), top, x(high) - x(low), bar, TINTS[which]))
        if x(high) - x(low) > 6.2 * len(name):
            shapes.append(Text((x(low) + x(high)) / 2, top + 14, name, "middle", 10, fill=QUIET))
    corners = ((left, top), (right, top), (right, top + bar), (left, top + bar), (left, top))
    shapes.append(Path(corners, QUIET))
    shapes += [Text(left - 6, top + 14, "0", "end"), Text(right + 6, top + 14, "1")]
    # two rows, so that edges near each other can both be read
    shapes += _edge(x(verdict.threshold), top, bar, f"threshold {apart(verdict.threshold, verdict.lower)}", 16)
    if verdict.lower < verdict.threshold:
        edge = f"inconclusive from {apart(verdict.lower, verdict.threshold)}"
        shapes += _edge(x(verdict.lower), top, bar, edge, 32)
    at = x(probability)
    shapes.append(
        Path(((at - 7, top - 9), (at + 7, top - 9), (at, top + 2)), "#ffffff", 1, fill=OUTCOME_COLOURS[outcome])
    )
    shapes.append(Path(((at, top), (at, top + bar)), INK, 2))
    text = f"score {apart(probability, verdict.threshold, verdict.lower)}"
    shapes.append(Text(min(max(at, 40), width - 40), top - 14, text, "middle", 12, bold=True))
    return chart


def _edge(x: float, top: float, bar: float, text: str, below: float) -> Iterator[Shape]:
    yield Path(((x, top), (x, top + bar + below - 8)), INK, 1.2, dashed=True)
    anchor: Anchor = "end" if x > 300 else "start"
    yield Text(x + (-4 if anchor == "end" else 4), top + bar + below, text, anchor)


def timeline(track: TrackResult, verdict: Verdict, span: tuple[float, float]) -> Chart:
    """One person's probability over the seconds of a video.

    Args:
        track: with its frames.
        verdict: its threshold and band are drawn.
        span: first and last second shown, the same for all persons of a video.
    """
    width, left, right, top, bottom = 660.0, 34.0, 570.0, 26.0, 176.0
    first, last = span if span[1] > span[0] else (span[0] - 0.5, span[0] + 0.5)
    label = (
        f"track {track.id}: score per sampled frame from {track.start:.1f} to {track.end:.1f} seconds, "
        f"{len(track.frames)} frames"
    )
    chart = Chart(width, 214.0, label)
    shapes = chart.shapes

    def x(time: float) -> float:
        return left + (time - first) / (last - first) * (right - left)

    def y(probability: float) -> float:
        return bottom - probability * (bottom - top)

    for low, high, which in (
        (0.0, verdict.lower, Outcome.REAL),
        (verdict.lower, verdict.threshold, Outcome.INCONCLUSIVE),
        (verdict.threshold, 1.0, Outcome.FAKE),
    ):
        if high > low:
            shapes.append(Rect(left, y(high), right - left, y(low) - y(high), TINTS[which]))
    shapes += _axes((left, right, top, bottom), (first, last))
    shapes.append(Path(((left, y(verdict.threshold)), (right, y(verdict.threshold))), INK, 1.4, dashed=True))
    shapes += _range_names(right + 8, y, verdict)
    for run in _runs(track.frames):
        points = tuple((x(frame.time), y(frame.probability)) for frame in run)
        if len(points) > 1:
            shapes.append(Path(points, QUIET, 1.2))
    # many dots would hide each other: thin them, the line shows all
    radius = 2.6 if len(track.frames) <= 150 else 1.3
    shapes += [Dot(x(frame.time), y(frame.probability), radius, QUIET) for frame in track.frames]
    shapes += _deciding(track, x, y)
    return chart


def _deciding(track: TrackResult, x: _Axis, y: _Axis) -> Iterator[Shape]:
    by_index = {frame.frame: frame for frame in track.frames}
    for index in track.decided_by:
        frame = by_index.get(index)
        if frame is not None:
            at, level, reach = x(frame.time), y(frame.probability), 5.5
            diamond = ((at, level - reach), (at + reach, level), (at, level + reach), (at - reach, level))
            yield Path(diamond, "#ffffff", 1, fill=OUTCOME_COLOURS[track.outcome])


def _range_names(x: float, y: _Axis, verdict: Verdict) -> Iterator[Shape]:
    """Names at the right edge, pushed apart where the ranges are narrow."""
    threshold = y(verdict.threshold) + 4
    yield Text(x, min(y((verdict.threshold + 1) / 2) + 4, threshold - 14), "likely fake", size=10, fill=QUIET)
    yield Text(x, threshold, f"threshold {apart(verdict.threshold, verdict.lower)}", size=10, bold=True)
    below = threshold + 14
    if verdict.lower < verdict.threshold:
        below = max(below, y((verdict.lower + verdict.threshold) / 2) + 4)
        yield Text(x, below, "inconclusive", size=10, fill=QUIET)
        below += 14
    yield Text(x, max(below, y(verdict.lower / 2) + 4), "likely real", size=10, fill=QUIET)


def _axes(frame: tuple[float, float, float, float], span: tuple[float, float]) -> Iterator[Shape]:
    (left, right, top, bottom), (first, last) = frame, span
    yield Path(((left, top), (left, bottom), (right, bottom)), QUIET)
    for value in (0.0, 0.5, 1.0):
        level = bottom - value * (bottom - top)
        yield Path(((left - 4, level), (left, level)), QUIET)
        yield Text(left - 7, level + 4, f"{value:g}", "end", 10)
    step = _tick(last - first)
    for index in range(int(np.ceil(first / step)), int(np.floor(last / step)) + 1):
        at = left + (index * step - first) / (last - first) * (right - left)
        yield Path(((at, bottom), (at, bottom + 4)), QUIET)
        yield Text(at, bottom + 16, f"{index * step:g}", "middle", 10)
    yield Text((left + right) / 2, bottom + 33, "seconds", "middle", 10, fill=QUIET)


def _tick(span: float) -> float:
    """A round step that gives four to ten ticks."""
    raw = span / 8
    power: float = 10.0 ** np.floor(np.log10(raw))
    return next(float(step * power) for step in (1, 2, 5, 10) if step * power >= raw * 0.999)


def _runs(frames: Sequence[FrameResult]) -> Iterator[list[FrameResult]]:
    """Frames without gaps: a line across a stretch in which the person was not seen would be invented."""
    if not frames:
        return
    steps = np.diff([frame.time for frame in frames])
    longest = 2.5 * float(np.quantile(steps, 0.5, method="lower")) if len(steps) else 0.0
    run = [frames[0]]
    for frame, step in zip(frames[1:], steps, strict=True):
        if step > longest:
            yield run
            run = []
        run.append(frame)
    yield run


def colour_bar(scale: MapScale) -> Chart:
    """The colours of a map from its strongest negative to its strongest positive value, with the real range."""
    width, left, right, top, bar = 620.0, 8.0, 612.0, 14.0, 14.0
    label = f"colours from {-scale.limit:.2g} (speaks for real) to {scale.limit:+.2g} (speaks for fake)"
    chart = Chart(width, 58.0, label)
    shapes = chart.shapes
    steps = 61
    values = np.linspace(-scale.limit, scale.limit, steps, dtype=np.float32)[None]
    rgba = colourise(values, scale.limit, scale.opacity)[0].astype(np.float64)
    on_white = np.rint(255 + (rgba[:, :3] - 255) * rgba[:, 3:] / 255).astype(int)
    step = (right - left) / steps
    for index, (red, green, blue) in enumerate(on_white):
        # a little wider than the step, so that no seams show between neighbours
        wide = min(step + 0.6, right - left - index * step)
        shapes.append(Rect(left + index * step, top, wide, bar, f"#{red:02x}{green:02x}{blue:02x}"))
    corners = ((left, top), (right, top), (right, top + bar), (left, top + bar), (left, top))
    shapes.append(Path(corners, QUIET))
    middle = (left + right) / 2
    for value in (scale.low, scale.high):
        at = middle + value / scale.limit * (right - left) / 2
        shapes.append(Path(((at - 5, top - 9), (at + 5, top - 9), (at, top)), INK, 0.5, fill=INK))
    shapes += [
        Text(left, top + bar + 16, f"{-scale.limit:.2g} speaks for real"),
        Text(middle, top + bar + 16, "0", "middle"),
        Text(right, top + bar + 16, f"speaks for fake {scale.limit:+.2g}", "end"),
    ]
    return chart

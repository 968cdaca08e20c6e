from __future__ import annotations

from xml.etree import ElementTree

import pytest

from mesoscope.calibrate import Verdict
from mesoscope.explain import MapScale
from mesoscope.report.charts import Chart, Path, Rect, Text, colour_bar, gauge, timeline
from mesoscope.report.svg import to_svg
from mesoscope.types import Detection, Outcome

RULES = [
    Verdict(1, 0, threshold, lower, calibrated=True)
    for threshold, lower in ((0.87, 0.4), (0.5, 0.5), (0.99, 0.985), (0.02, 0.01), (1.0, 0.0), (0.0, 0.0))
]


def texts(chart: Chart) -> list[Text]:
    return [shape for shape in chart.shapes if isinstance(shape, Text)]


def extent(text: Text) -> tuple[float, float]:
    wide = 0.58 * text.size * len(text.text)
    left = {"start": text.x, "middle": text.x - wide / 2, "end": text.x - wide}[text.anchor]
    return left, left + wide


def assert_readable(chart: Chart) -> None:
    """Texts lie inside the chart and on no other text."""
    shown = texts(chart)
    for place, text in enumerate(shown):
        left, right = extent(text)
        assert left >= 0
        assert right <= chart.width, text
        assert 0.7 * text.size <= text.y <= chart.height
        for other in shown[:place]:
            a, b = extent(other)
            apart = abs(other.y - text.y) >= 0.9 * min(text.size, other.size)
            assert apart or right <= a or b <= left, (text, other)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("probability", [0.0, 0.03, 0.5, 0.9, 1.0])
def test_a_gauge_can_be_read_whatever_the_rule(rule: Verdict, probability: float) -> None:
    chart = gauge(probability, rule, rule.outcome(probability))
    assert_readable(chart)
    grounds = [shape for shape in chart.shapes if isinstance(shape, Rect)]
    assert sum(ground.width for ground in grounds) == pytest.approx(572)


def test_the_pointer_stands_at_the_score() -> None:
    at = []
    for probability in (0.0, 0.5, 1.0):
        chart = gauge(probability, RULES[0], Outcome.FAKE)
        (pointer,) = [shape for shape in chart.shapes if isinstance(shape, Path) and shape.fill]
        at.append(pointer.points[2][0])
    assert at == pytest.approx([24, 310, 596])


@pytest.mark.parametrize("rule", RULES)
def test_a_timeline_can_be_read_whatever_the_rule(rule: Verdict, video: Detection) -> None:
    assert_readable(timeline(video.result.tracks[0], rule, (0, 2)))


def test_no_line_is_drawn_where_the_person_was_not_seen(video: Detection) -> None:
    steady, gone = (timeline(track, RULES[1], (0, 2)) for track in video.result.tracks[:2])

    def ways(chart: Chart) -> list[int]:
        return [len(s.points) for s in chart.shapes if isinstance(s, Path) and s.width == 1.2 and not s.fill]

    assert ways(steady) == [6]
    assert ways(gone) == [2]  # and a single dot after the gap


@pytest.mark.parametrize("span", [(0.0, 0.0), (3.0, 3.04), (0.0, 36_000.0), (100.0, 100.5)])
def test_any_length_gets_a_few_round_ticks(span: tuple[float, float], video: Detection) -> None:
    chart = timeline(video.result.tracks[0], RULES[0], span)
    ticks = [shape for shape in chart.shapes if isinstance(shape, Text) and shape.y == 180]
    assert 1 <= len(ticks) <= 11


def test_a_colour_bar_ends_at_the_limit_and_marks_the_real_range() -> None:
    chart = colour_bar(MapScale(-0.01, 0.04, 0.001))
    assert_readable(chart)
    pointers = [s.points[2][0] for s in chart.shapes if isinstance(s, Path) and s.fill]
    assert pointers == pytest.approx([310 - 302 / 4, 612])
    faint = colour_bar(MapScale(-0.0001, 0.0004, 0.001))
    strongest = [[s.fill for s in bar.shapes if isinstance(s, Rect)][-1] for bar in (chart, faint)]
    assert int(strongest[0][3:5], 16) < int(strongest[1][3:5], 16)


def test_svg_is_well_formed_and_escapes() -> None:
    chart = Chart(10, 10, '"<&>', [Text(0, 0, "<script>&"), Path(((0, 0), (1, 1)), dashed=True)])
    root = ElementTree.fromstring(to_svg(chart))  # noqa: S314 - our own text
    assert root.attrib["aria-label"] == '"<&>'
    assert [element.text for element in root if element.tag.endswith("text")] == ["<script>&"]

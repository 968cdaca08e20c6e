"""Boxes, and results that refuse what must not be said."""

import pytest
from pydantic import ValidationError

from mesoscope.types import Box, FaceResult, FileResult, Outcome

FACE = {"box": (0, 0, 10, 10), "finder_score": 1.0}
FILE = {"path": "a.jpg", "sha256": None, "kind": None, "bundle": "b-1", "bundle_sha256": "0" * 64, "mesoscope": "0"}


def test_box_measures() -> None:
    box = Box(10, 20, 40, 60)
    assert (box.width, box.height, box.area, box.center) == (30, 40, 1200, (25, 40))
    assert box.scaled(0.5) == Box(5, 10, 20, 30)


@pytest.mark.parametrize("edges", [(5, 0, 5, 10), (0, 10, 10, 10), (9, 0, 3, 10)])
def test_empty_box_is_refused(edges: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="empty box"):
        Box(*edges)


def test_iou_of_known_boxes() -> None:
    assert Box(0, 0, 10, 10).iou(Box(5, 0, 15, 10)) == pytest.approx(50 / 150)
    assert Box(0, 0, 10, 10).iou(Box(10, 0, 20, 10)) == 0
    assert Box(0, 0, 10, 10).iou(Box(0, 0, 10, 10)) == 1


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.NOT_APPLICABLE])
def test_a_failure_takes_no_number(outcome: Outcome) -> None:
    with pytest.raises(ValidationError, match="with probability"):
        FaceResult(outcome=outcome, probability=0.5, logit=0.0, **FACE)
    with pytest.raises(ValidationError, match="with probability"):
        FaceResult(outcome=outcome, probability=None, logit=0.0, **FACE)


@pytest.mark.parametrize("outcome", [Outcome.FAKE, Outcome.REAL, Outcome.INCONCLUSIVE])
def test_an_answer_needs_its_number(outcome: Outcome) -> None:
    with pytest.raises(ValidationError, match="with probability"):
        FaceResult(outcome=outcome, probability=None, logit=None, **FACE)


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_probability_stays_in_range(probability: float) -> None:
    with pytest.raises(ValidationError):
        FaceResult(outcome=Outcome.FAKE, probability=probability, logit=0.0, **FACE)


def test_a_failed_file_has_a_reason_and_an_answered_one_has_none() -> None:
    with pytest.raises(ValidationError, match="with error"):
        FileResult(outcome=Outcome.ERROR, probability=None, logit=None, threshold=None, **FILE)
    with pytest.raises(ValidationError, match="with error"):
        FileResult(outcome=Outcome.REAL, probability=0.1, logit=-2.0, threshold=0.5, error="but", **FILE)


def test_every_warning_has_its_sentence() -> None:
    with pytest.raises(ValidationError, match="every warning"):
        FileResult(
            outcome=Outcome.ERROR,
            probability=None,
            logit=None,
            threshold=None,
            error="x",
            warnings=["squeezed"],
            **FILE,
        )


def test_a_warning_outside_the_vocabulary_is_refused() -> None:
    with pytest.raises(ValidationError, match="warnings"):
        FileResult(
            outcome=Outcome.ERROR,
            probability=None,
            logit=None,
            threshold=None,
            error="x",
            warnings=["nonsense"],
            messages={"nonsense": "x"},
            **FILE,
        )

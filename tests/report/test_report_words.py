from __future__ import annotations

from collections.abc import Callable

import pytest

from mesoscope.bundle import Bundle
from mesoscope.calibrate import Verdict, verdict_for
from mesoscope.report.words import GENERAL_LIMITS, OUTCOME_TITLES, answer, apart, part_answer, rule_facts, visible
from mesoscope.types import FaceResult, FileResult, Outcome

MakeResult = Callable[..., FileResult]

FACES = [FaceResult(box=(0, 0, 9, 9), finder_score=None, outcome="real", probability=0.1, logit=-2) for _ in range(3)]


@pytest.mark.parametrize(
    ("outcome", "probability", "sentence"),
    [
        (
            Outcome.FAKE,
            0.93,
            "Likely manipulated or generated: face 2 of 3 scores 0.93, above the threshold 0.87.",
        ),
        (
            Outcome.FAKE,
            0.87,
            "Likely manipulated or generated: face 2 of 3 scores 0.87, exactly at the threshold 0.87.",
        ),
        (
            Outcome.INCONCLUSIVE,
            0.8699,
            "Inconclusive: face 2 of 3 scores 0.8699, between 0.40 and the threshold 0.8700, where this detector is "
            "not sure enough for an answer.",
        ),
        (
            Outcome.REAL,
            0.03,
            "Likely real: face 2 of 3 scores 0.03, below 0.40, where doubt begins. No sign of the manipulations this "
            "detector knows was found.",
        ),
    ],
)
def test_an_answer_says_why(
    outcome: Outcome, probability: float, sentence: str, verdict: Verdict, make_result: MakeResult
) -> None:
    assert answer(make_result("a.jpg", outcome, probability, faces=FACES, decided_by="face 2"), verdict) == sentence


def test_a_failure_gives_its_reason_and_no_number(verdict: Verdict, make_result: MakeResult) -> None:
    nothing = make_result("a.jpg", Outcome.NOT_APPLICABLE, None, error="no face was found")
    assert answer(nothing, verdict) == "No answer: no face was found."
    broken = make_result("a.jpg", Outcome.ERROR, None, error="The file is empty.")
    assert answer(broken, verdict) == "Error: The file is empty."
    assert part_answer("face 1", Outcome.NOT_APPLICABLE, None, "too small", verdict) == "No answer: too small."


def test_one_face_alone_is_not_counted_and_a_picture_is_a_picture(verdict: Verdict, make_result: MakeResult) -> None:
    one = make_result("a.jpg", Outcome.FAKE, 0.93, faces=FACES[:1], decided_by="face 1")
    assert "face 1 scores" in answer(one, verdict)
    whole = make_result("a.jpg", Outcome.FAKE, 0.93, decided_by="picture")
    assert "the picture scores" in answer(whole, verdict)


def test_without_a_band_the_threshold_is_the_edge(make_result: MakeResult) -> None:
    rule = Verdict(1, 0, 0.5, 0.5, calibrated=False)
    text = answer(make_result("a.jpg", Outcome.REAL, 0.2, decided_by="picture"), rule)
    assert "below the threshold 0.50" in text


def test_nothing_says_is_fake_but_to_forbid_it() -> None:
    for text in (*OUTCOME_TITLES.values(), *GENERAL_LIMITS):
        assert "is fake" not in text.replace("never “is fake”", "")


@pytest.mark.parametrize(
    ("number", "others", "text"),
    [
        (0.93, (0.87,), "0.93"),
        (0.8699, (0.87,), "0.8699"),
        (0.87, (0.87,), "0.87"),
        (0.8700001, (0.87,), "0.870000"),
        (1.0, (0.999,), "1.000"),
    ],
)
def test_numbers_are_shown_apart(number: float, others: tuple[float, ...], text: str) -> None:
    assert apart(number, *others) == text


def test_what_hides_or_reorders_text_is_written_out() -> None:
    assert visible("photo\u202egpj.exe\n\x1b[31m\udc80") == r"photo\u{202e}gpj.exe\u{a}\u{1b}[31m\u{dc80}"
    assert visible("家族 صورة 👩\u200d👩\u200d👦 é.jpg") == "家族 صورة 👩\u200d👩\u200d👦 é.jpg"


def test_the_rule_says_where_its_threshold_comes_from(bundle: Bundle) -> None:
    def origin(verdict: Verdict) -> str:
        return next(fact.value for fact in rule_facts(bundle, verdict) if fact.name == "Threshold from")

    assert origin(verdict_for(bundle.contract)) == (
        "the bundle’s default, chosen on validation groups (1,200 real, 1,100 fake)"
    )
    assert origin(verdict_for(bundle.contract, 0.01)).startswith(
        "a budget of at most 1 % of real pictures called fake by mistake, chosen on"
    )
    assert origin(Verdict(1, 0, 0.123, 0.1, calibrated=True)).startswith("set by the caller")


def test_uncalibrated_scores_are_called_that(bundle: Bundle) -> None:
    bare = bundle.contract.model_copy(update={"calibration": None, "thresholds": None, "band": None})
    facts = {
        fact.name: fact.value for fact in rule_facts(Bundle(bundle.path, bare, bundle.sha256), verdict_for(bare))
    }
    assert "not probabilities" in facts["Calibration"]
    assert facts["Threshold from"].startswith("no data")
    assert facts["Rule"] == "likely manipulated from 0.50 on, likely real below"

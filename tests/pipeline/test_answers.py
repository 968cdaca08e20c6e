"""The rules from numbers to answers."""

import pytest

from mesoscope.bundle import load_bundle
from mesoscope.calibrate import Verdict
from mesoscope.pipeline.answers import Asked, Source, answer_face, answer_file, answer_track, most_telling
from mesoscope.types import Box, FoundFace, FrameResult, Notice, Outcome

VERDICT = Verdict(slope=1.0, intercept=0.0, threshold=0.8, lower=0.3, calibrated=True)
FACE = FoundFace(Box(0, 0, 50, 50), 1.5)


@pytest.fixture(scope="module")
def asked() -> Asked:
    return Asked(load_bundle(), VERDICT)


def frame(number: int, logit: float) -> FrameResult:
    return FrameResult(
        frame=number,
        time=number / 10,
        box=(0, 0, 9, 9),
        probability=VERDICT.probability(logit),
        logit=logit,
        finder_score=None,
    )


def test_the_highest_scoring_face_decides(asked: Asked) -> None:
    faces = [answer_face(FACE, logit, None, VERDICT) for logit in (-2.0, 3.0, 0.0)]
    answer = answer_file(asked, Source("a.jpg"), faces=faces)
    assert (answer.outcome, answer.decided_by, answer.logit) == (Outcome.FAKE, "face 2", 3.0)
    assert [face.outcome for face in answer.faces] == [Outcome.REAL, Outcome.FAKE, Outcome.INCONCLUSIVE]


def test_a_face_without_answer_does_not_count(asked: Asked) -> None:
    faces = [answer_face(FACE, None, "face too small", VERDICT), answer_face(FACE, -3.0, None, VERDICT)]
    answer = answer_file(asked, Source("a.jpg"), faces=faces)
    assert (answer.outcome, answer.decided_by) == (Outcome.REAL, "face 2")


def test_only_faces_without_answer_name_each_reason_once(asked: Asked) -> None:
    faces = [answer_face(FACE, None, "face too small", VERDICT)] * 2
    answer = answer_file(asked, Source("a.jpg"), faces=faces)
    assert (answer.outcome, answer.error) == (Outcome.NOT_APPLICABLE, "face too small")


def test_a_tracks_logit_is_the_mean_of_its_frames() -> None:
    track = answer_track(2, [frame(0, 1.0), frame(1, 3.0)], (0.0, 0.1), None, VERDICT)
    assert track.logit == 2.0
    assert track.outcome is Outcome.FAKE
    assert track.decided_by == [1, 0]


def test_a_track_without_judged_frames_has_a_reason_and_no_number() -> None:
    track = answer_track(1, [], (0.0, 4.0), "face too small", VERDICT)
    assert (track.outcome, track.probability, track.reason) == (Outcome.NOT_APPLICABLE, None, "face too small")


@pytest.mark.parametrize(
    ("outcome", "expected"), [(Outcome.FAKE, [3, 1, 0]), (Outcome.INCONCLUSIVE, [3, 1, 0]), (Outcome.REAL, [2, 4, 0])]
)
def test_the_most_telling_frames_pull_towards_the_outcome(outcome: Outcome, expected: list[int]) -> None:
    frames = [frame(0, 0.5), frame(1, 1.0), frame(2, -4.0), frame(3, 2.0), frame(4, -1.0)]
    assert [item.frame for item in most_telling(frames, outcome)] == expected


def test_notices_become_codes_with_sentences(asked: Asked) -> None:
    answer = answer_file(
        asked,
        Source("a.jpg"),
        faces=[answer_face(FACE, 0.0, None, VERDICT)],
        notices=[Notice("squeezed", "It was squeezed.")],
    )
    assert answer.warnings == ["squeezed"]
    assert answer.messages == {"squeezed": "It was squeezed."}

"""From inputs to explanations: faces, persons in videos, and what cannot be explained."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mesoscope.api import Detector
from mesoscope.explain.examining import Examiner, Wanted
from mesoscope.explain.methods import Subject, find_method
from mesoscope.media import Input
from mesoscope.pipeline import explaining
from mesoscope.pipeline.explaining import Explaining, with_maps_of
from mesoscope.types import Outcome


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load(frames=3, threads=1, keep_evidence=True)


def explaining_with(detector: Detector, *names: str, truths=lambda path: None) -> Explaining:
    subject = Subject(detector.bundle, detector.pipeline.judge)
    wanted = Wanted(tuple(find_method(name) for name in names), controls=0)
    return Explaining(detector.pipeline, Examiner(subject, wanted), truths)


def of(one: Explaining, path: Path):
    (found,) = one.run([Input(str(path), path)])
    return found


def test_every_face_is_explained_and_the_scene_shows_the_same_maps(detector: Detector, group_photo: Path) -> None:
    found = of(explaining_with(detector, "graph-map", truths=lambda path: "real"), group_photo)
    assert [face.title for face in found.faces] == ["face 1", "face 2", "face 3", "face 4"]
    assert found.truth == "real"
    for face, judged, answer in zip(found.faces, found.scene.faces, found.result.faces, strict=True):
        np.testing.assert_array_equal(face.views[0].map, judged.map)
        assert face.logit == answer.logit
        assert face.pixels.shape == (160, 160, 3)
        np.testing.assert_allclose(
            detector.pipeline.judge(_again(detector, face.pixels))[0], [face.logit], atol=0.02
        )  # what is shown is what was judged, but for rounding to 8 bits


def _again(detector: Detector, pixels: np.ndarray) -> np.ndarray:
    from mesoscope.preprocess import to_batch

    return to_batch([pixels], detector.bundle.contract.preprocess)


def test_of_many_faces_the_highest_are_explained(
    detector: Detector, group_photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explaining, "MAX_FACES", 2)
    found = of(explaining_with(detector, "graph-map"), group_photo)
    assert len(found.faces) == 2
    assert len(found.result.faces) == 4
    highest = sorted((face.probability for face in found.result.faces), reverse=True)[:2]
    assert sorted((face.probability for face in found.faces), reverse=True) == highest
    shown = {face.title for face in found.faces}
    assert all((face.map is not None) == (face.title in shown) for face in found.scene.faces)


def test_persons_in_a_video(detector: Detector, clip: Path) -> None:
    found = of(explaining_with(detector, "graph-map"), clip)
    assert len(found.tracks) == 2
    for track in found.tracks:
        assert [shot.frame for shot in track.shots] == [frame.frame for frame in track.result.frames]
        assert all(max(shot.pixels.shape) <= 160 for shot in track.shots)
        decisive = next(frame for frame in track.result.frames if frame.frame == track.result.decided_by[0])
        assert track.deciding.logit == decisive.logit
        assert track.deciding.when == f"frame {decisive.frame} at {decisive.time:.2f} s"
        # the frame was read again: its map is the one that was made while the video was judged
        shot = next(shot for shot in track.shots if shot.frame == decisive.frame)
        np.testing.assert_allclose(track.deciding.views[0].map, shot.map, atol=1e-4)


def test_another_method_fills_the_whole_video(detector: Detector) -> None:
    judge = detector.pipeline.judge
    batch = np.random.default_rng(0).normal(size=(2, 3, 160, 160)).astype(np.float32)
    other = with_maps_of(judge, lambda inputs: np.full((len(inputs), 5, 5), 3, np.float32), "occlusion")
    logits, maps = other(batch)
    np.testing.assert_allclose(logits, judge(batch)[0], atol=1e-5)
    assert maps.shape == (2, 5, 5)
    assert with_maps_of(judge, lambda inputs: inputs, "graph-map") is judge


def test_what_cannot_be_judged_has_its_reason_alone(detector: Detector, examples: Path, tmp_path: Path) -> None:
    one = explaining_with(detector, "graph-map")
    nobody = of(one, examples / "no-face-rotated.jpg")
    assert nobody.result.outcome is Outcome.NOT_APPLICABLE
    assert nobody.faces == []
    missing = of(one, tmp_path / "missing.jpg")
    assert missing.result.outcome is Outcome.ERROR
    assert missing.scene is None


def test_right_is_only_said_of_clear_answers(detector: Detector, portrait: Path) -> None:
    found = of(explaining_with(detector, "graph-map"), portrait)
    clear = replace(found, truth=found.result.outcome.value if found.result.outcome is Outcome.REAL else "fake")
    assert replace(found, truth=None).right is None
    unsure = found.result.model_copy(update={"outcome": Outcome.INCONCLUSIVE})
    assert replace(clear, result=unsure).right is None
    for outcome, truth, right in ((Outcome.FAKE, "fake", True), (Outcome.FAKE, "real", False)):
        told = found.result.model_copy(update={"outcome": outcome})
        assert replace(found, result=told, truth=truth).right is right

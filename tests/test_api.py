"""The Python interface, on real pictures, and every way an input can be bad."""

import dataclasses
import re
import shutil
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import mesoscope
from mesoscope import Detector, FileResult, Outcome
from mesoscope.engine import Judge
from mesoscope.errors import NotCalibrated, UsageError
from mesoscope.media import MediaLimits


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector.load("mesoscope-face")


def test_a_portrait_gets_one_face_and_its_number(detector: Detector, portrait: Path) -> None:
    answer = detector.detect(portrait)
    assert isinstance(answer, FileResult)
    assert answer.error is None
    assert answer.kind == "picture"
    assert (answer.width, answer.height) == (512, 512)
    (face,) = answer.faces
    assert face.finder_score is not None
    assert answer.decided_by == "face 1"
    assert (answer.outcome, answer.probability, answer.logit) == (face.outcome, face.probability, face.logit)
    left, top, right, bottom = face.box
    assert 0 <= left < right <= 512
    assert 0 <= top < bottom <= 512


def test_bytes_and_path_give_the_same(detector: Detector, portrait: Path) -> None:
    from_path, from_bytes = detector.detect(portrait), detector.detect(portrait.read_bytes())
    assert from_bytes.path == "-"
    assert from_bytes.sha256 == from_path.sha256
    assert from_bytes.logit == from_path.logit


def test_every_face_of_a_group_keeps_its_score(detector: Detector, group_photo: Path) -> None:
    answer = detector.detect(group_photo)
    assert len(answer.faces) == 4
    logits = [face.logit for face in answer.faces if face.logit is not None]
    assert answer.logit == max(logits)
    assert answer.decided_by == f"face {1 + int(np.argmax(logits))}"


def test_two_people_in_a_clip_get_two_answers(detector: Detector, clip: Path) -> None:
    answer = detector.detect(clip)
    assert answer.kind == "video"
    assert [track.id for track in answer.tracks] == [1, 2]
    for track in answer.tracks:
        logits = [frame.logit for frame in track.frames]
        assert len(logits) == 32
        assert track.logit == pytest.approx(np.mean(logits))
        assert track.start < 0.2
        assert track.end > 2.8
        assert len(track.decided_by) == 3
    best = max(answer.tracks, key=lambda track: track.logit or -np.inf)
    assert answer.decided_by == f"track {best.id}"
    assert answer.probability == best.probability


def test_frames_and_fps_choose_how_many(clip: Path) -> None:
    few = Detector.load(frames=4).detect(clip)
    assert [len(track.frames) for track in few.tracks] == [4, 4]
    by_rate = Detector.load(fps=2).detect(clip)
    assert [len(track.frames) for track in by_rate.tracks] == [6, 6]


@pytest.mark.parametrize("frames", [31, 32, 33, 75])
def test_batches_do_not_change_answers(clip: Path, frames: int) -> None:
    # two faces a frame: these counts end just before, at and after full batches
    answer = Detector.load(frames=frames).detect(clip)
    assert [len(track.frames) for track in answer.tracks] == [frames, frames]


def test_answers_keep_the_order_and_do_not_depend_on_neighbours(detector: Detector, examples: Path) -> None:
    paths = sorted(examples.glob("*.jpg")) * 9
    together = list(detector.detect_many(paths))
    assert [answer.path for answer in together] == [str(path) for path in paths]
    alone = {str(path): detector.detect(path) for path in set(paths)}
    for answer in together:
        expected = alone[answer.path]
        assert answer.outcome == expected.outcome
        if expected.logit is not None:
            assert answer.logit == pytest.approx(expected.logit, abs=1e-4)


def test_engines_agree_through_the_whole_pipeline(detector: Detector, portrait: Path, clip: Path) -> None:
    other = Detector.load(engine="onnxruntime")
    for path in (portrait, clip):
        assert detector.detect(path).logit == pytest.approx(other.detect(path).logit, abs=1e-4)


def test_appending_bytes_or_changing_metadata_changes_no_score(
    detector: Detector, portrait: Path, tmp_path: Path
) -> None:
    original = detector.detect(portrait)
    appended = tmp_path / "appended.jpg"
    appended.write_bytes(portrait.read_bytes() + b"thirteen bytes")
    commented = tmp_path / "commented.jpg"
    raw = portrait.read_bytes()
    commented.write_bytes(raw[:2] + b"\xff\xfe\x00\x0fhello, world!" + raw[2:])
    for path in (appended, commented):
        answer = detector.detect(path)
        assert answer.sha256 != original.sha256
        assert answer.logit == original.logit


def test_orientation_is_honoured(detector: Detector, portrait: Path, tmp_path: Path) -> None:
    turned = tmp_path / "turned.png"
    image = Image.open(portrait).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # stored on its side: turn right to see it upright
    image.transpose(Image.Transpose.ROTATE_90).save(turned, exif=exif)
    straight = tmp_path / "straight.png"
    image.save(straight)
    assert detector.detect(turned).logit == detector.detect(straight).logit


def test_a_folder_is_for_detect_many(detector: Detector, examples: Path) -> None:
    with pytest.raises(UsageError, match="use detect_many"):
        detector.detect(examples)


@pytest.mark.parametrize(
    "wrong",
    [{"frames": 0}, {"fps": 0.0}, {"fps": -1.0}, {"fps": float("nan")}, {"fps": float("inf")}, {"threads": -1}],
)
def test_numbers_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="at least"):
        Detector.load(**wrong)  # type: ignore[arg-type]


def test_unknown_finder_and_budget_are_refused() -> None:
    with pytest.raises(UsageError, match="unknown face finder"):
        Detector.load(faces="nose")
    with pytest.raises(UsageError, match="budget"):
        Detector.load(max_fpr=0.5)


def test_a_budget_moves_the_threshold_not_the_probability(detector: Detector, portrait: Path) -> None:
    default, strict = detector.detect(portrait), detector.at(0.01).detect(portrait)
    assert default.probability == strict.probability
    assert default.threshold is not None
    assert strict.threshold is not None
    assert strict.threshold > default.threshold


def text(path: Path) -> None:
    path.write_text("this is no picture")


def bomb(path: Path) -> None:
    # a PNG whose header promises 50,000 x 50,000 pixels
    header = (50_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    import zlib

    chunk = b"IHDR" + header
    checked = len(header).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + checked)


def truncated(path: Path) -> None:
    whole = Path(__file__).parent.parent / "examples" / "portrait-photo-1.jpg"
    path.write_bytes(whole.read_bytes()[:9000])


def sound_only(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())


def no_frames(path: Path) -> None:
    clip = Path(__file__).parent.parent / "examples" / "two-people.mp4"
    path.write_bytes(clip.read_bytes()[:1500])


BAD = {
    "empty.jpg": (lambda path: path.write_bytes(b""), "empty"),
    "text.jpg": (text, "neither a picture nor a video"),
    "bomb.png": (bomb, "50,000 x 50,000"),
    "truncated.jpg": (truncated, "damaged or incomplete"),
    "sound.mp4": (sound_only, "no video stream"),
    "stump.mp4": (no_frames, r".+"),
    "missing.jpg": (lambda path: None, "not exist|no such|No such"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_an_error_with_a_reason_and_no_number(detector: Detector, tmp_path: Path, name: str) -> None:
    make, says = BAD[name]
    path = tmp_path / name
    make(path)
    answer = detector.detect(path)
    assert answer.outcome is Outcome.ERROR
    assert answer.probability is None
    assert answer.logit is None
    assert answer.threshold is None
    assert answer.error
    assert re.search(says, answer.error)
    assert "defect" not in answer.error


def test_bad_files_do_not_stop_the_others(detector: Detector, tmp_path: Path, portrait: Path) -> None:
    for name, (make, _) in BAD.items():
        make(tmp_path / name)
    shutil.copy(portrait, tmp_path / "z-good.jpg")
    answers = list(detector.detect_many([tmp_path]))
    named = {Path(answer.path).name: answer.outcome for answer in answers}
    assert named.pop("z-good.jpg") in (Outcome.REAL, Outcome.FAKE, Outcome.INCONCLUSIVE)
    assert set(named.values()) == {Outcome.ERROR}
    assert len(named) == len([name for name in BAD if name not in ("missing.jpg",)])


def test_a_folder_without_pictures_is_an_error(detector: Detector, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (answer,) = detector.detect_many([tmp_path])
    assert answer.outcome is Outcome.ERROR
    assert answer.sha256 is None


def test_no_face_is_not_applicable(detector: Detector, examples: Path) -> None:
    answer = detector.detect(examples / "no-face-rotated.jpg")
    assert answer.outcome is Outcome.NOT_APPLICABLE
    assert answer.error == "no face was found"
    assert (answer.probability, answer.faces) == (None, [])


def test_a_face_smaller_than_the_bundle_allows_is_not_applicable(
    detector: Detector, portrait: Path, tmp_path: Path
) -> None:
    path = tmp_path / "small.png"
    small = Image.open(portrait).convert("RGB").resize((88, 88))
    canvas = Image.new("RGB", (400, 400), "grey")
    canvas.paste(small, (156, 156))
    canvas.save(path)
    answer = detector.detect(path)
    assert answer.outcome is Outcome.NOT_APPLICABLE
    assert answer.error is not None
    assert "too small" in answer.error
    assert len(answer.faces) == 1
    assert answer.faces[0].probability is None


def test_a_tiny_crop_is_not_applicable(tmp_path: Path) -> None:
    path = tmp_path / "tiny.png"
    Image.new("RGB", (20, 20), "grey").save(path)
    answer = Detector.load(faces="none").detect(path)
    assert answer.outcome is Outcome.NOT_APPLICABLE
    assert answer.error is not None
    assert "picture too small: 20 pixels" in answer.error


def test_crops_are_judged_whole_and_squeezing_is_said(portrait: Path, tmp_path: Path) -> None:
    wide = tmp_path / "wide.png"
    Image.open(portrait).convert("RGB").resize((512, 256)).save(wide)
    detector = Detector.load(faces="none")
    (face,) = detector.detect(portrait).faces
    assert face.box == (0, 0, 512, 512)
    assert detector.detect(portrait).warnings == []
    assert detector.detect(wide).warnings == ["squeezed"]


def test_a_video_of_crops_is_one_track(clip: Path) -> None:
    answer = Detector.load(faces="none", frames=3).detect(clip)
    (track,) = answer.tracks
    assert [frame.box for frame in track.frames] == [(0, 0, 640, 320)] * 3


def test_limits_hold(portrait: Path) -> None:
    small = Detector.load(limits=MediaLimits(max_pixels=1000)).detect(portrait)
    assert small.outcome is Outcome.ERROR
    assert "1,000" in (small.error or "")


def test_an_uncalibrated_bundle_says_so_in_every_answer(bundle_copy: Path, portrait: Path) -> None:
    import json

    path = bundle_copy / "bundle.json"
    contract = json.loads(path.read_text()) | {"calibration": None, "thresholds": None, "band": None}
    path.write_text(json.dumps(contract))
    answer = Detector.load(bundle_copy).detect(portrait)
    assert answer.warnings == ["uncalibrated"]
    assert answer.threshold == 0.5
    with pytest.raises(NotCalibrated):
        Detector.load(bundle_copy, max_fpr=0.01)


def test_what_the_package_offers() -> None:
    assert set(mesoscope.__all__) == {"Detector", "FileResult", "Outcome", "__version__"}
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        mesoscope.Nonsense  # noqa: B018


def test_a_picture_that_breaks_the_network_does_not_take_its_neighbours_with_it(
    detector: Detector, portrait: Path, examples: Path
) -> None:
    inner = detector.pipeline.judge.session
    bad = detector.detect(portrait).logit

    def session(batch: np.ndarray) -> list[np.ndarray]:
        logit, maps = inner(batch)
        # one picture's logit comes out as not a number, alone or among others
        return [np.where(np.isclose(logit, bad, atol=1e-3), np.nan, logit).astype(np.float32), maps]

    judge = Judge(detector.bundle, session)
    broken = Detector(dataclasses.replace(detector.pipeline, judge=judge))
    answers = list(broken.detect_many([portrait, examples / "portrait-photo-2.jpg"]))
    assert [answer.outcome for answer in answers] == [Outcome.ERROR, detector.detect(answers[1].path).outcome]
    assert "not finite" in (answers[0].error or "")

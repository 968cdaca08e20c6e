from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from mesoscope.errors import UsageError
from mesoscope.faces import FaceFinder
from mesoscope.manifest import Manifest
from mesoscope.media import open_picture, open_video
from mesoscope.pipeline.framing import Framing
from mesoscope.preprocess import Preprocess, crop, square_around, to_input
from mesoscope.types import Box, FoundFace
from mesoscope_train.data.crops.cutting import Cutter, Task, chosen, write_picture
from mesoscope_train.data.crops.options import CropOptions
from mesoscope_train.data.crops.records import FileRecord
from mesoscope_train.data.landmarks import points_of

Cut = Callable[..., FileRecord]


def loaded(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))


def test_a_crop_is_what_detect_sees_at_the_same_margin(
    cut: Cut, sources: Manifest, tmp_path: Path, finder: FaceFinder
) -> None:
    (made,) = cut("real/man.png", size=None, quality=None, margin=0.4).crops
    pixels = open_picture(sources.file("real/man.png")).pixels
    (face,) = finder(pixels)
    expected = crop(pixels, square_around(face.box, 0.4))
    assert np.array_equal(loaded(tmp_path / made.path), expected)
    assert (made.height, made.width) == expected.shape[:2]
    assert made.box == (face.box.left, face.box.top, face.box.right, face.box.bottom)
    assert made.score == face.score

    spec = Preprocess(
        size=64, resize="bicubic", margin=0.4, channel_order="rgb", mean=[0.5] * 3, std=[0.25] * 3, min_face=20
    )
    seen = Framing(spec, finder).cut(pixels, face).input
    assert seen is not None
    assert np.array_equal(to_input(loaded(tmp_path / made.path), spec), seen)


def test_the_first_frame_of_a_video(cut: Cut, sources: Manifest, tmp_path: Path, finder: FaceFinder) -> None:
    record = cut("fake/two.mp4", faces="all", size=None, quality=None)
    frame = next(open_video(sources.file("fake/two.mp4")).frames())
    faces = finder(frame.pixels)
    assert [made.path for made in record.crops] == [
        "crops/fake/two.mp4/000000-0.png",
        "crops/fake/two.mp4/000000-1.png",
    ]
    assert (record.kind, record.frames, record.crowded) == ("video", 1, 1)
    for made, face in zip(record.crops, faces, strict=True):
        assert (made.frame, made.time) == (0, 0.0)
        assert np.array_equal(loaded(tmp_path / made.path), crop(frame.pixels, square_around(face.box, 0.3)))
        left, top, right, bottom = made.box
        assert 0 <= left < right <= frame.pixels.shape[1]
        assert 0 <= top < bottom <= frame.pixels.shape[0]


@pytest.mark.parametrize("sampling", [{"frames": 2}, {"fps": 1.0}])
def test_frames_are_taken_evenly(cut: Cut, sources: Manifest, sampling: dict[str, float]) -> None:
    record = cut("fake/two.mp4", faces="all", **sampling)
    wanted = list(open_video(sources.file("fake/two.mp4")).sample(**sampling))
    assert record.frames == len(wanted) == (2 if "frames" in sampling else 3)
    assert [(made.frame, made.time, made.face) for made in record.crops] == [
        (frame.index, frame.time_s, face) for frame in wanted for face in (0, 1)
    ]


def test_frames_with_several_faces_are_left_out_and_counted(cut: Cut, tmp_path: Path) -> None:
    record = cut("fake/two.mp4", frames=3)
    assert (record.crops, record.left_out, record.frames) == ((), {"several_faces": 3}, 3)
    assert not (tmp_path / "crops").exists()


def test_small_faces_are_left_out_but_keep_their_number(cut: Cut) -> None:
    record = cut("fake/two.mp4", faces="all", min_face=150)
    assert record.left_out == {"too_small": 1}
    assert [made.face for made in record.crops] == [1]


def test_a_small_face_is_a_face_when_exactly_one_is_asked_for() -> None:
    large, small = FoundFace(Box(0, 0, 90, 90)), FoundFace(Box(200, 0, 220, 20))
    assert chosen([large, small], CropOptions(min_face=40)) == ([], ["several_faces"])
    assert chosen([small], CropOptions(min_face=40)) == ([], ["too_small"])
    assert chosen([large, small], CropOptions(min_face=40, faces="all")) == ([(0, large)], ["too_small"])


def test_nobody_and_a_broken_file(cut: Cut, tmp_path: Path) -> None:
    assert cut("real/nobody.jpg").left_out == {"no_face": 1}
    broken = cut("real/broken.jpg")
    assert broken.left_out == {"unreadable": 1}
    assert (broken.kind, broken.crops) == (None, ())
    assert broken.error is not None and "damaged" in broken.error
    assert cut("real/absent.jpg").error == "The file does not exist."
    assert not (tmp_path / "crops").exists()


def test_without_a_finder_whole_frames_are_kept(cut: Cut, sources: Manifest, tmp_path: Path) -> None:
    (made,) = cut("fake/two.mp4", finder="none", size=None, quality=None).crops
    frame = next(open_video(sources.file("fake/two.mp4")).frames())
    assert np.array_equal(loaded(tmp_path / made.path), frame.pixels)
    assert (made.box, made.score, made.width, made.height) == ((0, 0, 640, 320), None, 640, 320)


def test_jpeg_files_keep_all_colours_and_the_quality_asked_for(tmp_path: Path, portrait: Path) -> None:
    pixels = open_picture(portrait).pixels
    file = tmp_path / "crop.jpg"
    assert write_picture(pixels, file, CropOptions(size=96, quality=80)) == file.stat().st_size
    reference = tmp_path / "reference.jpg"
    Image.fromarray(pixels).resize((96, 96), Image.Resampling.BILINEAR).save(reference, quality=80, subsampling=0)
    assert file.read_bytes() == reference.read_bytes()
    with Image.open(file) as image:
        assert JpegImagePlugin.get_sampling(image) == 0


def test_what_cannot_be_written_is_no_fault_of_the_source(cut: Cut, tmp_path: Path) -> None:
    (tmp_path / "crops").write_text("a file where a directory must be")
    with pytest.raises(UsageError, match="cannot write"):
        cut("real/man.png")


def test_half_written_files_of_a_killed_run_are_removed(cut: Cut, tmp_path: Path) -> None:
    leftover = tmp_path / "crops/real/man.png/.mesoscope-0123.partial.jpg"
    leftover.parent.mkdir(parents=True)
    leftover.touch()
    record = cut("real/man.png")
    assert [file.name for file in leftover.parent.iterdir()] == [Path(record.crops[0].path).name]


def test_landmarks_of_a_finder_that_has_them_follow_the_crop(sources: Manifest, tmp_path: Path) -> None:
    points = np.array([[60, 70], [110, 72], [85, 95], [65, 120], [108, 121]], np.float32)

    def finder(_pixels: np.ndarray) -> list[FoundFace]:
        return [FoundFace(Box(40, 50, 140, 150), 0.9, points)]

    options = CropOptions(size=64, quality=None, margin=0.2)
    (made,) = Cutter(sources.root, tmp_path, options, finder)(Task(0, "real/man.png")).crops
    assert made.landmarks is not None
    again = points_of(made.landmarks, made.path) * 120 + [30, 40]
    np.testing.assert_allclose(again, points, atol=0.01)
    assert FileRecord.from_json(json.loads(json.dumps(FileRecord(0, "a", None, crops=(made,)).to_json()))).crops == (
        made,
    )

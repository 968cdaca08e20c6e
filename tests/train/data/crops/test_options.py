from __future__ import annotations

from pathlib import Path

import pytest

from mesoscope.errors import UsageError
from mesoscope_train.data.crops.options import CropOptions, digest_of


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"finder": "haar"}, "unknown face finder 'haar'; known: dlib, yunet, none"),
        ({"frames": 0}, "--frames must be at least 1"),
        ({"fps": 0.0}, "--fps must be more than 0"),
        ({"fps": float("nan")}, "--fps must be more than 0"),
        ({"frames": 2, "fps": 1.0}, "either how many frames"),
        ({"faces": "some"}, "--faces must be one of one, all"),
        ({"margin": -0.1}, "--margin must be between 0 and 4"),
        ({"margin": float("nan")}, "--margin must be between 0 and 4"),
        ({"size": 8}, "--size must be between 16 and 2048"),
        ({"quality": 0}, "--quality must be between 1 and 100"),
        ({"min_face": 0}, "--min-face must be at least 1"),
    ],
)
def test_values_outside_their_range_are_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        CropOptions(**wrong)


def test_every_option_changes_the_digest(tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(b"1")
    others = [
        CropOptions(finder="yunet"),
        CropOptions(finder="yunet", face_model=model),
        CropOptions(frames=1),
        CropOptions(fps=1.0),
        CropOptions(faces="all"),
        CropOptions(margin=0.0),
        CropOptions(size=None),
        CropOptions(quality=None),
        CropOptions(min_face=20),
    ]
    digests = {digest_of(options.settings()) for options in [CropOptions(), *others]}
    assert len(digests) == 1 + len(others)
    model.write_bytes(b"2")
    assert digest_of(others[1].settings()) not in digests


def test_a_margin_of_a_whole_number_is_no_other_setting() -> None:
    assert CropOptions(margin=1).settings() == CropOptions(margin=1.0).settings()


def test_a_model_file_for_no_finder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing that --face-model could be for"):
        CropOptions(finder="none", face_model=tmp_path / "x.onnx").open_finder()

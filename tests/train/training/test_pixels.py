"""Decoded pictures in one file: the same pixels, decoded once, and no room is no error."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from mesoscope.errors import MediaError
from mesoscope.media import open_picture, open_video
from mesoscope_train.training import pixels
from mesoscope_train.training.pixels import cache_directory, decoded, pixel_file


@pytest.fixture
def files(examples: Path, tmp_path: Path) -> list[Path]:
    names = ["portrait-photo-1.jpg", "portrait-generated-1.jpg", "portrait-photo-2.jpg"]
    return [Path(shutil.copy(examples / name, tmp_path / name)) for name in names]


def test_the_same_pixels_as_decoding(files: list[Path], tmp_path: Path) -> None:
    seen = []
    cache = pixel_file(files, tmp_path / "cache", lambda: seen.append(1))
    assert cache is not None
    assert len(seen) == 3
    for row, file in enumerate(files):
        assert np.array_equal(cache[row], open_picture(file).pixels)


def test_decoded_once_and_again_when_a_file_changes(files: list[Path], tmp_path: Path) -> None:
    pixel_file(files, tmp_path / "cache")
    seen: list[int] = []
    pixel_file(files, tmp_path / "cache", lambda: seen.append(1))
    assert not seen
    os.utime(files[0], (1, 1))
    pixel_file(files, tmp_path / "cache", lambda: seen.append(1))
    assert len(seen) == 3


def test_no_room_is_no_cache(files: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "ROOM", 0.0)
    assert pixel_file(files, tmp_path / "cache") is None
    assert not list((tmp_path / "cache").iterdir()), "nothing half-written is left"


def test_a_picture_that_cannot_be_read_is_named(files: list[Path], tmp_path: Path) -> None:
    files[1].write_bytes(b"no picture")
    with pytest.raises(MediaError, match=files[1].name):
        pixel_file(files, tmp_path / "cache")
    with pytest.raises(MediaError, match=r"gone\.jpg"):
        pixel_file([tmp_path / "gone.jpg"], tmp_path / "cache")


def test_of_a_video_the_first_frame(clip: Path) -> None:
    assert np.array_equal(decoded(clip), next(iter(open_video(clip).sample(frames=1))).pixels)


def test_where_it_is_kept(home: Path) -> None:
    assert cache_directory() == home / "cache" / "pixels"

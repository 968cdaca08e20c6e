"""What a study's page makes of pictures."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from mesoscope_train.studies.content import Shown
from mesoscope_train.studies.page import picture_of
from mesoscope_train.studies.plan import Exhibit


def drawn(path: Path, width: int, height: int, colour: str) -> Path:
    Image.new("RGB", (width, height), colour).save(path)
    return path


def test_pictures_of_a_strip_stand_side_by_side_at_one_height(tmp_path: Path) -> None:
    files = (drawn(tmp_path / "a.png", 100, 200, "red"), drawn(tmp_path / "b.png", 300, 100, "blue"))
    shown = Shown(Exhibit("explain", "*.png", "Two", "strip"), tmp_path, None, files)
    with Image.open(io.BytesIO(picture_of(shown))) as strip:
        height = strip.height
        assert strip.width == height // 2 + 12 + 3 * height
        assert strip.getpixel((0, 0)) == (255, 0, 0)
        assert strip.getpixel((height // 2 + 3, 0)) == (255, 255, 255)
        assert strip.getpixel((strip.width - 1, height - 1)) == (0, 0, 255)


def test_a_wide_figure_is_shrunk_and_a_small_one_left_alone(tmp_path: Path) -> None:
    wide, small = drawn(tmp_path / "wide.png", 3600, 100, "red"), drawn(tmp_path / "small.png", 90, 30, "red")
    exhibit = Exhibit("evaluate", "f.png", "A figure")
    with Image.open(io.BytesIO(picture_of(Shown(exhibit, wide, None)))) as picture:
        assert picture.size == (1800, 50)
    assert picture_of(Shown(exhibit, small, None)) == small.read_bytes()

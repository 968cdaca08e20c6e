import dlib
import numpy as np
import pytest
from PIL import Image

from mesoscope.errors import UsageError
from mesoscope.faces import open_finder
from mesoscope.faces.dlib_hog import DlibHog, brightened


@pytest.fixture(scope="module")
def finder():
    return open_finder("dlib")


@pytest.fixture(scope="module")
def pixels(portrait):
    return np.asarray(Image.open(portrait).convert("RGB"))


def test_a_model_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match="takes no model file"):
        open_finder("dlib", tmp_path / "any.onnx")


def test_boxes_are_dlibs_own(finder, pixels):
    import dlib

    doubled = np.asarray(Image.fromarray(pixels).resize((1024, 1024), Image.Resampling.BILINEAR))
    (rectangle,) = dlib.get_frontal_face_detector()(doubled)
    (face,) = finder(pixels)
    # dlib counts the last pixel as inside
    assert (face.box.left, face.box.top) == (rectangle.left() / 2, rectangle.top() / 2)
    assert (face.box.right, face.box.bottom) == ((rectangle.right() + 1) / 2, (rectangle.bottom() + 1) / 2)


def test_a_small_face_in_a_small_picture_is_found(finder, pixels):
    small = np.asarray(Image.fromarray(pixels).resize((110, 110)))  # the face is 55 pixels wide, dlib wants 80
    assert len(finder(small)) == 1


def test_a_tight_crop_is_found_with_a_rim(finder, pixels):
    tight = pixels[150:430, 110:375]
    (face,) = finder(tight)
    assert face.box.center[0] == pytest.approx(132, abs=25)
    assert face.box.center[1] == pytest.approx(140, abs=30)


def test_a_face_in_the_dark_is_found(finder, pixels):
    dark = (pixels * 0.05).astype(np.uint8)
    (in_the_dark,), (in_the_light,) = finder(dark), finder(pixels)
    assert in_the_dark.box.iou(in_the_light.box) > 0.6


def test_brightened_fills_the_range_and_keeps_the_order():
    dark = np.repeat(np.arange(40, dtype=np.uint8), 300).reshape(100, 40, 3)
    light = brightened(dark)
    assert light.max() == 255
    assert light.dtype == np.uint8
    by_level = [int(light[dark == level].max()) for level in range(40)]
    assert by_level == sorted(by_level)
    assert brightened(np.zeros((4, 4, 3), np.uint8)).max() == 0


def test_the_saved_detector_is_dlibs_own(portrait, group_photo):
    saved, own = open_finder("dlib"), DlibHog(dlib.get_frontal_face_detector())
    for path in (portrait, group_photo):
        pixels = np.asarray(Image.open(path).convert("RGB"))
        assert [(face.box, face.score) for face in saved(pixels)] == [(face.box, face.score) for face in own(pixels)]

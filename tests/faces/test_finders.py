"""What holds for every finder, built in or pulled; the model of YuNet comes from the big data."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from mesoscope.errors import UsageError
from mesoscope.faces import DEFAULT_FINDER, FINDER_NAMES, NO_FINDER, finders, open_finder


@pytest.fixture(scope="module", params=["dlib", "yunet", "yunet of fixed size"])
def finder(request):
    if request.param == "dlib":
        return open_finder("dlib")
    data = request.getfixturevalue("data_dir")
    size = "640_640" if request.param.endswith("size") else "dynamic"
    path = data / "yunet" / f"yunet_n_{size}.onnx"
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    return open_finder("yunet", path)


def read(path):
    return np.asarray(Image.open(path).convert("RGB"))


def test_names():
    assert set(finders) == {"dlib", "yunet"}
    assert {*finders, NO_FINDER} == set(FINDER_NAMES)
    assert DEFAULT_FINDER in finders


def test_an_unknown_name_lists_the_known():
    with pytest.raises(UsageError, match="unknown face finder 'haar'; known: dlib, yunet"):
        open_finder("haar")


def test_knowing_the_names_loads_no_engine_and_no_network():
    script = (
        "import sys, mesoscope.faces; print(*mesoscope.faces.FINDER_NAMES); "
        "print([m for m in ('dlib', '_dlib_pybind11', 'openvino', 'scipy', 'urllib.request') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["dlib yunet none", "[]"]


def test_one_face_where_the_face_is(finder, portrait):
    (face,) = finder(read(portrait))
    # brows to chin of the example, read off by eye
    assert face.box.left == pytest.approx(115, abs=30)
    assert face.box.top == pytest.approx(170, abs=30)
    assert face.box.width == pytest.approx(face.box.height, rel=0.02)
    assert face.box.width == pytest.approx(255, abs=35)
    assert isinstance(face.score, float)


def test_boxes_are_in_pixels_of_the_picture_whatever_its_size(finder, portrait):
    image = Image.open(portrait).convert("RGB")
    (small,), (large,) = (finder(np.asarray(image.resize((side, side)))) for side in (224, 1024))
    assert small.box.scaled(1024 / 224).iou(large.box) > 0.7


def test_position_is_followed(finder, portrait):
    pixels = read(portrait)
    canvas = np.full((512, 1100, 3), 127, np.uint8)
    canvas[:, 500:1012] = pixels
    (face,), (moved,) = finder(pixels), finder(canvas)
    assert moved.box.center[0] - 500 == pytest.approx(face.box.center[0], abs=25)


def test_all_faces_from_left_to_right_and_twice_the_same(finder, group_photo):
    pixels = read(group_photo)
    faces = finder(pixels)
    assert len(faces) == 4
    assert [face.box.left for face in faces] == sorted(face.box.left for face in faces)
    again = finder(pixels)
    assert [face.box for face in again] == [face.box for face in faces]


def test_none_where_there_is_none(finder):
    y, x = np.mgrid[0:300, 0:400]
    waves = (127 + 100 * np.sin(x / 17) * np.cos(y / 23)).astype(np.uint8)
    assert finder(np.repeat(waves[..., None], 3, axis=2)) == []
    assert finder(np.zeros((1, 1, 3), np.uint8)) == []
    assert finder(np.zeros((3, 700, 3), np.uint8)) == []


def test_threads_do_not_disturb_each_other(finder, portrait, group_photo):
    pictures = [read(portrait)[::2, ::2], read(group_photo)[::2, ::2]] * 2
    alone = [[face.box for face in finder(pixels)] for pixels in pictures]
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(finder, pictures))
    assert [[face.box for face in faces] for faces in together] == alone


def test_finders_frame_a_face_alike(portrait, examples, data_dir):
    path = data_dir / "yunet" / "yunet_n_dynamic.onnx"
    if not path.is_file():
        pytest.skip(f"{path} is absent")
    dlib, yunet = open_finder("dlib"), open_finder("yunet", path)
    overlaps = []
    for picture in sorted(examples.glob("portrait-*.jpg")):
        (one,), (other,) = dlib(read(picture)), yunet(read(picture))
        overlaps.append(one.box.iou(other.box))
    assert min(overlaps) > 0.65
    assert np.median(overlaps) > 0.78
